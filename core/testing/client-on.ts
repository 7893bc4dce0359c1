import { type Client, type ClientOptions, createClientWith } from "../client.ts";
import type { Clock } from "../clock.ts";
import { openConnection } from "../open-connection.ts";
import { alreadyLoaded } from "./already-loaded.ts";

/** As `createClient`, on the given clock. It loads nothing lazily, since virtual time would not wait for it. */
export function createClientOn(clock: Clock, options: ClientOptions): Client {
  return createClientWith(clock, alreadyLoaded({ openConnection }), options);
}
