(() => {
  const box = document.createElement("div"), most = 4;
  box.className = "tip-box";
  box.setAttribute("role", "status");
  box.hidden = true;
  document.body.append(box);
  const tips = [...document.querySelectorAll(".chart .tip")], others = [...document.querySelectorAll("[data-tip-of]")];
  const names = element => element.dataset.tipOf.split(" ");
  for (const tip of tips) {  // as a title the text would be shown twice
    const title = tip.querySelector(":scope > title");
    tip.setAttribute("role", "img");
    tip.setAttribute("aria-label", title.textContent);
    tip.tabIndex = -1;
    title.remove();
  }
  const mark = given => {
    for (const tip of tips) tip.classList.toggle("told", given.has(tip.dataset.tip));
    for (const other of others) other.classList.toggle("told", names(other).some(name => given.has(name)));
  };
  const centre = tip => {
    const at = (tip.querySelector(":scope > .hit") || tip).getBoundingClientRect();
    return [at.x + at.width / 2, at.y + at.height / 2];
  };
  const hide = () => { box.hidden = true; mark(new Set()); };
  const show = (told, [x, y]) => {
    const rest = told.length - most;
    const texts = told.slice(0, most).map(tip => tip.getAttribute("aria-label"));
    box.textContent = [...texts, ...(rest > 0 ? [`and ${rest} more here`] : [])].join("\n\n");
    box.hidden = false;
    const { width, height } = box.getBoundingClientRect(), page = document.documentElement;
    box.style.left = `${Math.max(4, Math.min(x + 12, page.clientWidth - width - 4))}px`;
    box.style.top = `${y - height - 12 > 4 ? y - height - 12 : Math.min(y + 14, page.clientHeight - height - 4)}px`;
    mark(new Set(told.map(tip => tip.dataset.tip)));
  };
  const under = (x, y) => {  // marks that lie on one another tell together
    const found = document.elementsFromPoint(x, y).map(one => one.closest(".chart .tip")).filter(Boolean);
    const far = tip => { const [a, b] = centre(tip); return Math.hypot(a - x, b - y); };
    const near = [...new Set(found)].map(tip => [far(tip), tip]).sort((a, b) => a[0] - b[0]);
    const [a, b] = near.length ? centre(near[0][1]) : [0, 0];
    const same = tip => { const [c, d] = centre(tip); return Math.hypot(a - c, b - d) < 3; };
    return near.map(([, tip]) => tip).filter(same);
  };
  const open = name => {  // the row, else whatever else is about the mark
    const about = others.filter(other => names(other).includes(name));
    const found = about.find(other => other.matches("tr")) || about[0];
    if (!found) return;
    for (let up = found.parentElement; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    found.scrollIntoView({ block: "center", behavior: "smooth" });
  };
  for (const chart of document.querySelectorAll("svg.chart")) {
    const own = [...chart.querySelectorAll(".tip")];
    let byTouch = false;
    if (own.length) own[0].tabIndex = 0;
    const point = event => {
      const told = under(event.clientX, event.clientY);
      if (told.length) show(told, byTouch ? centre(told[0]) : [event.clientX, event.clientY]);
      else hide();
      return told;
    };
    for (const kind of ["pointerdown", "pointermove"]) {
      chart.addEventListener(kind, event => {
        byTouch = event.pointerType === "touch";
        if (!byTouch) point(event);
      });
    }
    chart.addEventListener("pointerleave", () => { if (!byTouch) hide(); });  // a finger leaves when it is lifted
    chart.addEventListener("click", event => {
      const [first] = point(event);
      if (first && !byTouch) open(first.dataset.tip);
    });
    const around = chart.parentElement;  // an svg that listens to the focus would be a stop of the keyboard itself
    around.addEventListener("focusin", event => {
      if (own.includes(event.target) && event.target.matches(":focus-visible")) show([event.target], centre(event.target));
    });
    around.addEventListener("focusout", hide);
    chart.addEventListener("keydown", event => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key], at = own.indexOf(event.target);
      if (event.key === "Escape") hide();
      if (event.key === "Enter") open(event.target.dataset.tip);
      if (!step || at < 0) return;
      event.preventDefault();
      const next = own[(at + step + own.length) % own.length];
      own[at].tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });
  }
  for (const other of others) {
    other.addEventListener("pointerenter", () => mark(new Set(names(other))));
    other.addEventListener("pointerleave", () => mark(new Set()));
  }
  document.addEventListener("pointerdown", event => { if (!event.target.closest("svg.chart")) hide(); });
  addEventListener("scroll", () => {
    if (box.hidden) return;
    const chosen = document.activeElement;
    if (chosen.matches(".chart .tip:focus-visible")) show([chosen], centre(chosen));
    else box.hidden = true;
  }, { passive: true, capture: true });
})();
