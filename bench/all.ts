import { fresh, warm } from "./parts/bulk.ts";
import { calls, messages, structuredCalls } from "./parts/calls.ts";
import { first } from "./parts/first.ts";
import { mixed } from "./parts/mixed.ts";
import type { Part } from "./parts/part.ts";
import { lossy } from "./scenarios/lossy.ts";
import { memory, pause } from "./scenarios/memory.ts";
import { presence } from "./scenarios/presence.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { sizes } from "./scenarios/sizes.ts";
import { state } from "./scenarios/state.ts";

/** Measured in rounds. */
export const parts: readonly Part[] = [calls, structuredCalls, messages, warm, fresh, mixed, first];

/** Observed once. */
export const scenarios: readonly Scenario[] = [sizes, state, memory, pause, lossy, presence];
