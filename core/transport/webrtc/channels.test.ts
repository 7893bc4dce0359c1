import { expect, test } from "vitest";
import { createLifetime } from "../lifetime.ts";
import { createChannels } from "./channels.ts";
import { standard } from "./quirks.ts";

/** A data channel that, as node-datachannel's, throws where it is told anything once it closes. */
class Puppet extends EventTarget {
  readyState = "open";
  bufferedAmount = 0;
  onopen = () => {};
  #threshold = 0;

  get bufferedAmountLowThreshold(): number {
    return this.#threshold;
  }

  set bufferedAmountLowThreshold(threshold) {
    if (this.readyState !== "open") throw new Error("called on destroyed channel");
    this.#threshold = threshold;
  }

  send(message: Uint8Array): void {
    this.bufferedAmount += message.length;
  }
}

/** Open channels, and what their listener was told. */
function openChannels() {
  const puppets: Record<string, Puppet> = {};
  const lifetime = createLifetime(() => {});
  const channels = createChannels(lifetime);
  const pc = {
    createDataChannel(name: string) {
      puppets[name] = new Puppet();
      return puppets[name];
    },
  };
  channels.openOn(pc as unknown as RTCPeerConnection, standard);
  puppets["lossy"]!.onopen();
  let drained = 0;
  lifetime.listen({ message() {}, drain: () => drained++, interrupted() {}, restored() {} });
  return { channels, control: puppets["control"]!, bulk: puppets["bulk"]!, drained: () => drained };
}

test("drain is called when both channels together fall to the mark", () => {
  const { channels, control, bulk, drained } = openChannels();
  channels.lowMark = 100;
  channels.send("control", new Uint8Array(80));
  channels.send("bulk", new Uint8Array(80));
  expect([channels.buffered, control.bufferedAmountLowThreshold, bulk.bufferedAmountLowThreshold]).toEqual([
    160, 20, 20,
  ]);
  control.bufferedAmount = 30;
  control.dispatchEvent(new Event("bufferedamountlow"));
  expect([drained(), bulk.bufferedAmountLowThreshold]).toEqual([0, 70]);
  bulk.bufferedAmount = 70;
  bulk.dispatchEvent(new Event("bufferedamountlow"));
  expect(drained()).toBe(1);
});

test("a channel that closes gets no threshold, while the other still drains", () => {
  const { channels, control, bulk, drained } = openChannels();
  channels.send("bulk", new Uint8Array(80));
  control.readyState = "closing";
  channels.lowMark = 10;
  channels.send("bulk", new Uint8Array(80));
  expect(bulk.bufferedAmountLowThreshold).toBe(10);
  bulk.bufferedAmount = 0;
  bulk.dispatchEvent(new Event("bufferedamountlow"));
  expect(drained()).toBe(1);
});
