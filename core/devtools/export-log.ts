import type { Client } from "../client.ts";
import type { LinkRecord } from "./client-log.ts";
import { logOf } from "./inspect.ts";

/**
 * Returns the log of a client as JSON, for a bug report. It has ids, names of modules, sizes, times and error codes. It has no
 * names of users, no profiles, no addresses of peers and no credentials, and no values unless they were recorded: see
 * {@link InspectorOptions.payloads}. A client that was created before `bonevalue/devtools` was imported is not recorded.
 */
export function exportLog(client: Client): string {
  const log = logOf(client);
  const report = {
    exported: new Date().toISOString(),
    platform: globalThis.navigator?.userAgent,
    recorded: log !== undefined,
    client: { id: client.getId(), status: client.status.peek(), room: client.self.peek()?.room !== undefined },
    peers: client.peers.peek().map(({ id, name, profile }) => ({
      id,
      link: client.link(id).peek().status,
      identity: client.identityOf(name).peek().status,
      profileSize: JSON.stringify(profile).length,
    })),
    ...(log && {
      session: { ...log.session, onlineSince: dateOf(log.session.onlineSince) },
      events: log.events.newestFirst().map(withDate),
      links: log.links.newestFirst().map(exportLink),
      calls: log.calls.newestFirst().map(withDate),
      streams: log.streams.newestFirst().map(withDate),
      presence: log.presence.newestFirst().map(withDate),
    }),
  };
  return JSON.stringify(report, null, 2);
}

function exportLink({ link, candidates, ...record }: LinkRecord): object {
  const { local, remote } = candidates;
  return {
    ...withDate(record),
    bufferedBytes: link?.buffered,
    candidates: { local: Object.fromEntries(local), remote: Object.fromEntries(remote) },
  };
}

function withDate(record: { readonly at: number }): object {
  return { ...record, at: dateOf(record.at) };
}

function dateOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(performance.timeOrigin + at).toISOString();
}
