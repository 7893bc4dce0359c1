import { hash } from "@node-rs/argon2";
import { hashOf, newPeerId, newSecret } from "../../reference-server/secrets.ts";
import type { Store } from "../../reference-server/store/store.ts";

/** Somebody with a session to come back by. */
export interface Person {
  readonly name: string;
  readonly id: string;
  readonly session: string;
}

/** Everybody's password. */
export const password = "correct horse battery";

/** Fills a store with groups of people who all trust each other, one session each. */
export async function crowd(store: Store, groups: number, size: number): Promise<Person[][]> {
  const secret = await hash(password);
  const all: Person[][] = [];
  for (let group = 0; group < groups; group++) {
    const people: Person[] = [];
    for (let at = 0; at < size; at++) {
      const person = { name: `user ${group} ${at}`, id: newPeerId(), session: newSecret() };
      await store.addAccount(person.name, secret);
      for (const friend of people) await store.trust(person.name, friend.name, friend.name, person.name);
      const hashed = hashOf(person.session);
      await store.addSession({ hash: hashed, username: person.name, peer: person.id, seen: Date.now() });
      people.push(person);
    }
    all.push(people);
  }
  return all;
}
