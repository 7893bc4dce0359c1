import { labelOf, maxAppLength, maxRoomLength } from "../core/protocol/labels.ts";
import { hasInvisible, nameProblem } from "../core/protocol/names.ts";
import { Refusal } from "./refusal.ts";

const address = /^[^\s@<>"(),:;\\[\]\p{C}]{1,64}@[^\s@<>"(),:;\\[\]\p{C}]{1,190}$/u;

/** Returns an alias or the name of a guest in NFC; throws `alias-reserved` with the reason when the protocol does not allow it. */
export function checkedAlias(name: string): string {
  const alias = name.normalize("NFC");
  const problem = nameProblem(alias);
  if (problem !== undefined) throw new Refusal("alias-reserved", `This name ${problem}: choose another.`);
  return alias;
}

/** Returns the name of a room in NFC; throws `invalid-request` for an invalid one. */
export function checkedRoom(name: string): string {
  const room = labelOf(name, 1, maxRoomLength);
  if (room === undefined)
    throw new Refusal("invalid-request", `The name of a room has 1 to ${maxRoomLength} characters.`);
  return room;
}

/** Returns the name of an app in NFC; throws `invalid-request` for an invalid one. The app of a client without one is `""`. */
export function checkedApp(name: string = ""): string {
  const app = labelOf(name, 0, maxAppLength);
  if (app === undefined)
    throw new Refusal("invalid-request", `The name of an app has at most ${maxAppLength} characters.`);
  return app;
}

/** Returns the canonical spelling of a user name: NFC, and in lower case if it is an e-mail address. */
export function canonicalName(name: string): string {
  const composed = name.normalize("NFC");
  return composed.includes("@") ? composed.toLowerCase() : composed;
}

/** Whether an account may have this name: 1 to 256 visible characters. */
export function isName(name: string): boolean {
  const length = [...name].length;
  return length >= 1 && length <= 256 && !hasInvisible(name);
}

/** Returns the canonical user name; throws `invalid-request` for an invalid one. */
export function checkedName(name: string): string {
  if (!isName(name)) throw new Refusal("invalid-request", "A user name has 1 to 256 visible characters.");
  return canonicalName(name);
}

/** Returns a name that fits into a sentence of a mail or page: of a long one, its beginning. */
export function shortenedName(name: string): string {
  const characters = [...name];
  return characters.length > 64 ? `${characters.slice(0, 63).join("")}…` : name;
}

/** Whether a service may have this name: 1 to 64 visible characters. */
export function isServiceName(name: string): boolean {
  return [...name].length <= 64 && !hasInvisible(name);
}

/** Returns the canonical e-mail address; throws `invalid-request` for an invalid one. */
export function checkedEmail(email: string): string {
  if (!address.test(email)) throw new Refusal("invalid-request", "This is not a valid e-mail address.");
  return canonicalName(email);
}
