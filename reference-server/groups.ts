import { hashOf } from "./secrets.ts";

// Peers of one group see each other. A group is an opaque string, so that the cluster does not depend on what a group is. Each
// kind has a prefix, and apps are escaped, so that accounts, rooms and apps have different groups.

/** The group of an account in an app: its peers are each other's `"Us"`. */
export function accountGroup(app: string, user: string): string {
  return `a:${encodeURIComponent(app)}:${user}`;
}

/** The owner of a group: the account, which is the same in all apps, or the room. */
export function ownerOf(group: string): string {
  return group.replace(/^a:[^:]*:/, accountGroup("", ""));
}

/** The group of a room that its guests join by its name. Contains the hash of the name only. */
export function roomGroup(app: string, room: string): string {
  return `r:${encodeURIComponent(app)}:${hashOf(room)}`;
}

/** The group of a room that `authenticate` assigns. It never meets a room that guests join by its name. */
export function assignedRoomGroup(app: string, room: string): string {
  return `t:${encodeURIComponent(app)}:${hashOf(room)}`;
}
