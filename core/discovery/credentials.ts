import { isText, requireLabel } from "../check-arguments.ts";
import { BonevalueError } from "../errors.ts";
import { maxNameLength, maxRoomLength } from "../protocol/labels.ts";
import type { Credentials } from "./discovery.ts";

/** Each kind of credentials: the field that marks it, and its other fields. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  username: ["password"],
  invite: ["password"],
  token: [],
  room: ["name"],
};

/**
 * Returns a copy of valid credentials of one kind, with the names of a room and a guest in NFC. Throws `unauthenticated`,
 * `invalid-request` for an invalid room or for fields of another kind, and `alias-reserved` for the name of a guest.
 */
export function checkedCredentials(value: unknown): Credentials {
  const given = Object.fromEntries(Object.entries(Object(value)).filter(([, field]) => field !== undefined));
  const { username, invite = username, password, token, room, name = "Guest" } = given;
  const kind = Object.keys(kinds).find((one) => one in given) ?? "";
  const extra = Object.keys(given).find((field) => field !== kind && kinds[kind] && !kinds[kind].includes(field));
  if (extra !== undefined)
    throw new BonevalueError("invalid-request", `Credentials with \`${kind}\` have no \`${extra}\`: leave it out.`);
  if (kind === "room") return roomCredentials(room, name);
  if (isText(token) || typeof token === "function" || [invite, password].every(isText)) return given as Credentials;
  throw new BonevalueError("unauthenticated", "Pass credentials: connect(host, username, password).");
}

function roomCredentials(room: unknown, name: unknown): Credentials {
  return {
    room: requireLabel("a room", room, 1, maxRoomLength),
    name: requireLabel("a guest", name, 1, maxNameLength, "alias-reserved"),
  };
}
