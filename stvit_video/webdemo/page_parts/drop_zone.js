const part = (name) => element.querySelector("." + name);
const limits = JSON.parse(props.limits);
const target = part("drop-target"), picker = part("drop-file"), camera = part("camera");
const video = part("sent-video"), message = part("drop-message");
const AWAY = "The demo can't be reached; is it still running?";
const BUSY = "The demo is busy and takes no more requests now; try again in a minute.";
let shown = "", token = "", turn = 0;

// Every answer says of which clip it is; those of another one than the newest are not seen, whenever they come.
const marks = document.head.appendChild(document.createElement("style"));
const follow = (clip) => {
  marks.textContent = `[data-clip]:not([data-clip="${clip}"]), #copy:not(:has([data-clip="${clip}"])),
    [id^="model-"]:has([data-clip="${clip}"]) .progress,
    body:has(#clip-problem [data-clip="${clip}"]) .progress { display: none; }`;
};
const progress = (text) => {
  for (const line of document.querySelectorAll(".progress")) line.textContent = text;
};
follow("");

// A page that the browser has kept while another one was open has lost its server.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

const say = (text, isError) => {
  message.textContent = text;
  message.classList.toggle("error", Boolean(isError));
};

const show = (address, name) => {
  if (shown.startsWith("blob:")) URL.revokeObjectURL(shown);
  shown = address;
  part("sent").hidden = false;
  video.hidden = false;
  video.srcObject = null;
  if (address) video.src = address;
  else video.removeAttribute("src");  // an empty one would be an error
  part("sent-name").textContent = name;
};

// A browser that can't play the clip asks for a copy that it can.
const askForCopy = () => {
  if (video.hidden || !shown.startsWith("blob:") || video.currentSrc !== shown) return;
  video.hidden = true;
  if (token) trigger("unplayable", { token: token });
};
video.addEventListener("error", askForCopy);
video.addEventListener("loadeddata", () => { if (!video.videoWidth && !video.srcObject) askForCopy(); });

// A new clip is chosen: what was said of the one before goes.
const begin = () => {
  token = "";
  follow("none");
  progress("");
  say("");
  part("sent").hidden = true;
  video.pause();
  document.querySelector("#copy video")?.pause();
  return ++turn;
};

const fail = (text) => {
  progress("");
  say(text, true);
};

const isAnswered = () => Boolean(document.querySelector(`[data-clip="${token || "none"}"]`));

// The script of gradio asks the model; what becomes of it is said here, as for a clip.
const plainFetch = window.fetch;
window.fetch = async (address, ...options) => {
  const isQuestion = String(address).includes(limits.join_at);
  try {
    const response = await plainFetch(address, ...options);
    if (isQuestion && response.status === 503) fail(BUSY);
    else if (isQuestion && isAnswered() && [AWAY, BUSY].includes(message.textContent)) say("");
    return response;
  } catch (error) {
    if (isQuestion) fail(AWAY);
    throw error;
  }
};

const ask = (clip) => {
  token = clip;
  follow(clip);
  progress("Waiting for the model ...");
  say("");
  trigger("clip", { token: clip });
  if (video.hidden) trigger("unplayable", { token: clip });
};

const send = async (file, name) => {
  const mine = begin();
  if (file.size === 0) return fail("The file is empty (0 bytes); choose another one.");
  if (file.size > limits.max_bytes) {
    const size = (file.size / 1e6).toFixed(0);
    return fail(`The file has ${size} MB and this page takes up to ${limits.max_megabytes} MB; choose a smaller or shorter one.`);
  }
  show(URL.createObjectURL(file), name);
  say("Sending the clip ...");
  progress("Sending the clip ...");
  let answer, status = 0;
  try {
    const response = await fetch(limits.upload_at, { method: "POST", body: file });
    status = response.status;
    answer = await response.json();
  } catch (error) {
    answer = { error: status === 503 ? BUSY : status ? `The clip was refused with status ${status}.` : AWAY };
  }
  if (mine !== turn) return;
  if (answer.error) return fail(answer.error);
  ask(answer.token);
};

picker.addEventListener("change", () => {
  if (picker.files.length) send(picker.files[0], picker.files[0].name);
  picker.value = "";
});
for (const kind of ["dragenter", "dragover"]) target.addEventListener(kind, (event) => {
  event.preventDefault();
  target.classList.add("over");
});
for (const kind of ["dragleave", "drop"]) target.addEventListener(kind, () => target.classList.remove("over"));
// A file that is dropped beside the place for it would open in place of the page.
for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
target.addEventListener("drop", (event) => {
  event.preventDefault();
  const file = event.dataTransfer.files[0];
  if (file) send(file, file.name);
});

camera.addEventListener("click", async () => {
  if (!navigator.mediaDevices || !window.MediaRecorder) {
    return say("The browser gives its camera only to pages at 127.0.0.1 or https; open the demo there.", true);
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 } }, audio: false });
  } catch (error) {
    return say("There is no camera, or the browser may not use it.", true);
  }
  camera.disabled = true;
  const mine = begin();
  show("", "camera");
  video.srcObject = stream;
  say("Recording ...");
  const parts = [], recorder = new MediaRecorder(stream);
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  recorder.addEventListener("stop", () => {
    stream.getTracks().forEach((track) => track.stop());
    camera.disabled = false;
    if (mine === turn) send(new Blob(parts, { type: recorder.mimeType }), "camera");
  });
  recorder.start();
  setTimeout(() => recorder.stop(), 4000);
});

part("limits").textContent = limits.words;

for (const example of limits.examples) {
  const button = document.createElement("button");
  const clip = document.createElement("video");
  clip.muted = true;
  clip.preload = "auto";
  clip.playsInline = true;
  clip.loop = true;
  clip.src = example.address;
  button.type = "button";
  button.title = `example: ${example.name}`;
  button.append(clip, example.name.replaceAll("_", " "));
  button.addEventListener("mouseenter", () => clip.play());
  button.addEventListener("mouseleave", () => clip.pause());
  button.addEventListener("click", async () => {
    const mine = begin();
    show(example.address, `example: ${example.name}`);
    const answer = await fetch(limits.alive_at).catch(() => ({ ok: false }));
    if (mine !== turn) return;
    if (answer.ok) ask(example.token);
    else fail(AWAY);
  });
  part("examples").append(button);
}
