const part = (name) => element.querySelector("." + name);
const limits = JSON.parse(props.limits);
const target = part("drop-target"), picker = part("drop-file"), camera = part("camera");
const video = part("sent-video"), message = part("drop-message");
let shown = "", token = "", turn = 0;

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

const send = async (file, name) => {
  const mine = ++turn;
  token = "";
  if (file.size === 0) return say("The file is empty (0 bytes); choose another one.", true);
  if (file.size > limits.max_bytes) {
    const size = (file.size / 1e6).toFixed(0);
    return say(`The file has ${size} MB and this page takes up to ${limits.max_megabytes} MB; choose a smaller or shorter one.`, true);
  }
  show(URL.createObjectURL(file), name);
  say("Sending the clip ...");
  let answer, status = 0;
  try {
    const response = await fetch(limits.upload_at, { method: "POST", body: file });
    status = response.status;
    answer = await response.json();
  } catch (error) {
    answer = { error: status === 503 ? "The demo is busy; try again in a minute." : "The clip could not be sent; is the demo still running?" };
  }
  if (mine !== turn) return;
  if (answer.error) return say(answer.error, true);
  token = answer.token;
  say("");
  trigger("clip", { token: token });
  if (video.hidden) trigger("unplayable", { token: token });
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
  show("", "camera");
  video.srcObject = stream;
  say("Recording ...");
  const parts = [], recorder = new MediaRecorder(stream);
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  recorder.addEventListener("stop", () => {
    stream.getTracks().forEach((track) => track.stop());
    camera.disabled = false;
    send(new Blob(parts, { type: recorder.mimeType }), "camera");
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
  button.addEventListener("click", () => {
    turn++;
    token = example.token;
    say("");
    show(example.address, `example: ${example.name}`);
    trigger("clip", { token: token });
  });
  part("examples").append(button);
}
