import { WebSocket } from "ws";
import { closeAll, connect } from "../clients.ts";
import { relayLatency } from "../latency.ts";
import { startServerUnderTest, unlimited } from "../server-under-test.ts";
import { withSqlite } from "../stores.ts";
import type { ServerMetric } from "./metric.ts";

const perSecond = 500;
const span = 10_000;

/** Guesses from as many addresses as there are guesses, so that no limit but the queue's stops them. */
export const badSignIns: ServerMetric = {
  name: "bad-sign-ins",
  title: `${perSecond} bad sign-ins a second: relay p99 of the others`,
  unit: "ms",
  goal: { atMost: 100 },
  measure: () =>
    withSqlite(1, 2, async (store, [users]) => {
      const target = await startServerUnderTest("bonevalue", { store, proxies: ["127.0.0.1"], limits: unlimited });
      const [one, two] = [await connect(target, users![0]!), await connect(target, users![1]!)];
      let guesses = 0;
      const guessing = setInterval(() => {
        for (let at = 0; at < perSecond / 100; at++) guess(target.url, users![0]!.name, guesses++);
      }, 10);
      const p99 = await relayLatency(one, two, span);
      clearInterval(guessing);
      await closeAll([one, two]);
      await target.kill();
      return { bonevalue: p99, notes: { "guesses a second": (guesses * 1_000) / span } };
    }),
};

function guess(url: string, username: string, number: number): void {
  const from = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  const socket = new WebSocket(url, { perMessageDeflate: false, headers: { "x-forwarded-for": from } });
  const data = { version: 1, username, password: `guess ${number}` };
  socket.on("open", () => socket.send(JSON.stringify({ type: "authenticate", data })));
  socket.on("error", () => {});
}
