{
  const values = JSON.parse(document.getElementById("values").textContent);
  const place = id => document.getElementById(id);
  const LONG_SIDE = 640, LINE = 2, MIDDLE = 128;
  const OPACITY = {tubes: 0.75, others: 0.3, maps: 0.85};  // as in tubes.mp4 and class_map.mp4
  const bytes = text => Uint8Array.from(atob(text), one => one.charCodeAt(0));
  const MAPS = ["winners", "strengths", "shares", "contributions", "occlusions"];
  const shown = [];  // every frame: its clip, place in it and picture
  values.clips.forEach((clip, number) => {
    for (const key of MAPS) clip[key] = bytes(clip[key]);
    clip.frames.forEach((source, frame) => {
      const image = new Image();
      image.src = source;
      shown.push({clip, number, frame, image});
    });
  });
  const state = {at: 0, view: values.is_semantic ? "tubes" : "contributions", alone: null, timer: null};

  function drawFrame(canvas, image) {
    const scale = Math.max(1, LONG_SIDE / Math.max(image.naturalWidth, image.naturalHeight));
    canvas.width = Math.round(image.naturalWidth * scale);
    canvas.height = Math.round(image.naturalHeight * scale);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return context;
  }
  function seenBox(canvas, clip) {
    const [left, top, width, height] = clip.seen;
    return [left * canvas.width, top * canvas.height, width * canvas.width, height * canvas.height];
  }
  function cells(clip, step) {  // red, green, blue, alpha of every cell of a step
    const [, rows, columns] = clip.grid, size = rows * columns, all = clip.grid[0] * size;
    const data = new Uint8ClampedArray(4 * size);
    const rank = values.tokens.indexOf(state.alone);
    for (let cell = 0; cell < size; cell++) {
      const at = step * size + cell;
      let colour, part, opacity = OPACITY.tubes;
      if (state.view === "tubes" && rank >= 0) {
        colour = values.colours[rank];
        part = clip.shares[rank * all + at] / 255;
      } else if (state.view === "tubes") {
        colour = values.colours[clip.winners[at]];
        part = clip.strengths[at] / 255;
        if (clip.winners[at] === values.tokens.length) opacity = OPACITY.others;
      } else {
        const value = (clip[state.view][at] - MIDDLE) / 127;
        colour = values.signs[value >= 0 ? 0 : 1];
        part = Math.min(Math.abs(value), 1);
        opacity = OPACITY.maps;
      }
      data.set([...colour, 255 * opacity * part], 4 * cell);
    }
    return new ImageData(data, columns, rows);
  }
  function outline(context, clip, step, box) {  // each side of a border in the colour of its token
    const [, rows, columns] = clip.grid, [left, top, width, height] = box;
    const owner = (row, column) => clip.winners[(step * rows + row) * columns + column];
    const x = column => Math.round(left + width * column / columns), y = row => Math.round(top + height * row / rows);
    const line = (rank, ...place) => { context.fillStyle = `rgb(${values.colours[rank]})`; context.fillRect(...place); };
    for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) {
      const own = owner(row, column), right = column + 1 < columns ? owner(row, column + 1) : own;
      const below = row + 1 < rows ? owner(row + 1, column) : own;
      if (own !== right) {
        line(own, x(column + 1) - LINE, y(row), LINE, y(row + 1) - y(row));
        line(right, x(column + 1), y(row), LINE, y(row + 1) - y(row));
      }
      if (own !== below) {
        line(own, x(column), y(row + 1) - LINE, x(column + 1) - x(column), LINE);
        line(below, x(column), y(row + 1), x(column + 1) - x(column), LINE);
      }
    }
  }
  function drawOverlay(context, clip, step) {
    const box = seenBox(context.canvas, clip), small = document.createElement("canvas");
    const picture = cells(clip, step);
    small.width = picture.width;
    small.height = picture.height;
    small.getContext("2d").putImageData(picture, 0, 0);
    turnGrey(context, box);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, ...box);
    if (state.view === "tubes" && state.alone === null) outline(context, clip, step, box);
  }
  function turnGrey(context, [left, top, width, height]) {  // so that a hue tells the token alone
    const path = new Path2D();
    path.rect(0, 0, context.canvas.width, context.canvas.height);
    context.globalCompositeOperation = "saturation";
    context.fillStyle = "#000";
    context.fill(path);
    context.globalCompositeOperation = "source-over";
    path.rect(left, top, width, height);
    context.fillStyle = "rgba(0, 0, 0, .65)";
    context.fill(path, "evenodd");
  }
  function told() {
    const percent = part => `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %`;
    if (state.view === "none") return "nothing drawn over it";
    if (state.view !== "tubes")
      return `full colour, in parts of the logit in one cell: ${values.scales[state.view]}`;
    const whose = state.alone === null
      ? "each cell has the colour of the token with the largest share" : `the share of token ${state.alone}`;
    const even = percent(1 / values.num_tokens);
    return `${whose}; full colour = a share of ${percent(values.full_share)}, even shares would be ${even}`;
  }
  function draw() {
    const {clip, number, frame, image} = shown[state.at];
    place("slider").value = state.at;
    place("clock").textContent = (values.clips.length > 1 ? `clip ${number + 1} of ${values.clips.length}, ` : "")
      + (shown.length > 1 ? `${clip.seconds[frame].toFixed(2)} s` : "");
    place("told").textContent = told();
    if (!image.complete || !image.naturalWidth) { image.onload = draw; return; }
    const original = drawFrame(place("frame"), image);
    const [left, top, width, height] = seenBox(original.canvas, clip);
    original.lineWidth = 1.5;
    original.strokeStyle = "rgba(255, 255, 255, .8)";
    if (width < original.canvas.width || height < original.canvas.height)
      original.strokeRect(left, top, width, height);
    const context = drawFrame(place("overlay"), image);
    if (state.view !== "none") drawOverlay(context, clip, clip.steps[frame]);
  }
  function go(number) {
    state.at = (number + shown.length) % shown.length;
    draw();
  }
  function play(isPlaying) {
    clearInterval(state.timer);
    state.timer = isPlaying ? setInterval(() => go(state.at + 1), 1000 / values.fps) : null;
    place("play").textContent = isPlaying ? "Pause" : "Play";
  }
  const isText = element => element.matches("textarea, select, [contenteditable], input:not([type=range], [type=radio])");
  function choose(view, alone = null) {
    state.view = view;
    state.alone = alone;
    for (const button of document.querySelectorAll("button.token"))
      button.setAttribute("aria-pressed", Number(button.dataset.token) === alone);
    for (const input of document.getElementsByName("view")) input.checked = input.value === view;
    if (place("tubes-legend")) place("tubes-legend").hidden = view !== "tubes";
    place("signs-legend").hidden = view === "tubes" || view === "none";
    draw();
  }

  place("slider").max = shown.length - 1;
  place("slider").addEventListener("input", event => { play(false); go(Number(event.target.value)); });
  place("play").addEventListener("click", () => play(state.timer === null));
  for (const input of document.getElementsByName("view")) input.addEventListener("change", () => choose(input.value));
  for (const button of document.querySelectorAll("button.token"))
    button.addEventListener("click", () => {
      const token = Number(button.dataset.token);
      choose("tubes", state.alone === token ? null : token);
    });
  place("player").addEventListener("click", event => {  // keys are the player's behind a click of the mouse
    if (event.detail > 0 && !isText(event.target)) place("player").focus({preventScroll: true});
  });
  place("player").addEventListener("keydown", event => {
    if (isText(event.target) || event.altKey || event.ctrlKey || event.metaKey) return;
    const steps = {ArrowLeft: -1, ArrowRight: 1};
    const kind = event.target.type ?? "";  // a button that the keyboard has reached is pressed by the space bar
    if (event.key === " " && !["button", "radio"].includes(kind)) play(state.timer === null);
    else if (event.key in steps && kind !== "radio") { play(false); go(state.at + steps[event.key]); }
    else return;
    event.preventDefault();
  });
  if (shown.length === 1) document.querySelector(".controls").hidden = true;
  choose(state.view);
  play(shown.length > 1 && !matchMedia("(prefers-reduced-motion: reduce)").matches);
}
