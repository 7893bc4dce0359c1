import type { Client } from "../../client.ts";
import type { PeerId } from "../../peer.ts";
import type { ClientLog } from "../client-log.ts";

/** What a tab shows. */
export interface Source {
  readonly client: Client;
  /** Missing if the client was created before `bonevalue/devtools` was imported. */
  readonly log: ClientLog | undefined;
}

/** The content of one tab. */
export interface View {
  readonly name: string;
  readonly element: HTMLElement;
  /** The number beside its name. */
  count(): number;
  /** Shows the current state. `filter` is in lower case. */
  show(filter: string): void;
  /** Called once a second while it is shown, for what changes without an event. */
  measure?(): void;
}

/** Returns a peer's name, or the start of its id. */
export function nameOf({ client, log }: Source, id: PeerId | undefined): string {
  if (id === undefined) return "";
  return client.peers.peek().find((peer) => peer.id === id)?.name || log?.names.get(id) || id.slice(0, 8);
}
