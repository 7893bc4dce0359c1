/** The camera and the microphone, or without them a picture with the first letter of a name. */
export async function cameraOrPicture(name: string): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  } catch {
    return drawPicture(name);
  }
}

function drawPicture(name: string): MediaStream {
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
  const context = canvas.getContext("2d")!;
  const draw = () => {
    context.fillStyle = name === "Oli" ? "#b5450c" : "#0b7468";
    context.fillRect(0, 0, 640, 480);
    context.fillStyle = "#fff";
    context.font = "600 220px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillText(name.slice(0, 1), 320, 315);
  };
  draw();
  const stream = canvas.captureStream(5);
  // A canvas that does not change sends no frame.
  const timer = setInterval(() => (stream.active ? draw() : clearInterval(timer)), 200);
  return stream;
}
