import { broadcastChannel } from "../../broadcast-channel.ts";
import { createEventRecorder } from "../../testing/event-recorder.ts";

// A tab that a test can kill: a worker ends without events.
const { events, until } = createEventRecorder();
addEventListener("message", async ({ data: host }) => {
  broadcastChannel().open(host, { username: "bob", password: "" }, events, { app: "" });
  const [, snapshot] = await until(([event]) => event === "online");
  postMessage(snapshot);
});
