import { hash } from "@node-rs/argon2";
import { hashOf, newPeerId, newSecret } from "../../reference-server/secrets.ts";
import type { Store } from "../../reference-server/store/store.ts";

/** A user with a session to reconnect with. */
export interface TestUser {
  readonly name: string;
  readonly id: string;
  readonly session: string;
}

/** Somebody who signs in to a room. Only bonevalue has them. */
export interface TestGuest {
  readonly room: string;
  readonly name: string;
}

/** The password of all test users. */
export const password = "correct horse battery";

/** Fills a store with groups of users who trust each other, each with one session. */
export async function addGroups(store: Store, groups: number, size: number): Promise<TestUser[][]> {
  const secret = await hash(password);
  const all: TestUser[][] = [];
  for (let group = 0; group < groups; group++) {
    const users: TestUser[] = [];
    for (let at = 0; at < size; at++) {
      const user = { name: `user ${group} ${at}`, id: newPeerId(), session: newSecret() };
      await store.addAccount(user.name, secret);
      for (const friend of users) await store.trust(user.name, friend.name, friend.name, user.name);
      const hashed = hashOf(user.session);
      await store.addSession({ hash: hashed, username: user.name, peer: user.id, seen: Date.now() });
      users.push(user);
    }
    all.push(users);
  }
  return all;
}
