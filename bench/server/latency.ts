import { percentile } from "../statistics.ts";
import { type Client, sleep } from "./clients.ts";

/** Sends 1 KB from `one` to `two` every `gap` ms for `span` ms. Resolves to the 99th percentile of the latency in ms. */
export async function relayLatency(one: Client, two: Client, span: number, gap = 10): Promise<number> {
  const times: number[] = [];
  two.onSignal = ({ sent }) => times.push(performance.now() - sent);
  const end = performance.now() + span;
  const text = "x".repeat(1_000);
  while (performance.now() < end) {
    one.relay(two.id, { sent: performance.now(), text });
    await sleep(gap);
  }
  await sleep(500);
  return percentile(times, 0.99);
}
