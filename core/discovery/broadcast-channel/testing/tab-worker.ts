import { broadcastChannel } from "../../broadcast-channel.ts";
import { createRecorder } from "../../testing/event-recorder.ts";

// A tab that can be killed without a word: a worker ends without events.
const { events, until } = createRecorder();
addEventListener("message", async ({ data: host }) => {
  broadcastChannel().open(host, { username: "bob", password: "" }, events);
  const [, snapshot] = await until(([event]) => event === "online");
  postMessage(snapshot);
});
