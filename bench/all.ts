import { fresh, warm } from "./parts/bulk.ts";
import { calls, messages, structuredCalls } from "./parts/calls.ts";
import { first } from "./parts/first.ts";
import { load } from "./parts/load.ts";
import { mixed } from "./parts/mixed.ts";
import type { Part } from "./parts/part.ts";
import { relay } from "./parts/relay.ts";
import { fullRoom } from "./scenarios/full-room.ts";
import { identity } from "./scenarios/identity.ts";
import { lossy } from "./scenarios/lossy.ts";
import { memory, pause } from "./scenarios/memory.ts";
import { messageRate } from "./scenarios/message-rate.ts";
import { presence } from "./scenarios/presence.ts";
import { relayBlocked } from "./scenarios/relay-blocked.ts";
import { relayDial } from "./scenarios/relay-dial.ts";
import { reload } from "./scenarios/reload.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { sizes } from "./scenarios/sizes.ts";
import { state } from "./scenarios/state.ts";

/** Measured in rounds. */
export const parts: readonly Part[] = [calls, structuredCalls, messages, warm, fresh, mixed, first, load, relay];

/** Observed once. */
export const scenarios: readonly Scenario[] = [
  sizes,
  state,
  memory,
  pause,
  lossy,
  presence,
  messageRate,
  reload,
  relayDial,
  relayBlocked,
  identity,
  fullRoom,
];
