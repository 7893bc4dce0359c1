import { hash } from "@node-rs/argon2";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { eventually } from "../tools/eventually.ts";
import { fc, runs } from "../tools/property.ts";
import { createRedisCluster } from "./cluster/redis.ts";
import { defaultLog } from "./log.ts";
import { hashOf, newPeerId, newSecret } from "./secrets.ts";
import { type BonevalueServer, createServer } from "./server.ts";
import { openPostgresStore } from "./store/postgres.ts";
import type { Store } from "./store/store.ts";
import { type CuttableProxy, startCuttableProxy } from "./testing/cuttable-proxy.ts";
import { startPostgres, type TestPostgres } from "./testing/postgres.ts";
import { startRedis, type TestRedis } from "./testing/redis.ts";
import { openClient, type TestClient } from "./testing/test-client.ts";
import { capital, password } from "./testing/test-server.ts";
import { type Tracker, track } from "./testing/tracker.ts";

vi.setConfig({ hookTimeout: 60_000 });

const log = defaultLog("silent");
const people = ["ann", "bob", "cat", "dan"] as const;
type Person = (typeof people)[number];
// The time in which a revocation reaches every node, in ms.
const propagation = 5_000;

let redis: TestRedis;
let postgres: TestPostgres;
let passwordHash: string;
beforeAll(async () => {
  [redis, postgres, passwordHash] = await Promise.all([startRedis(), startPostgres(), hash(password)]);
});
afterAll(() => Promise.all([redis.stop(), postgres.stop()]));

interface Node {
  server: BonevalueServer;
  wire: CuttableProxy;
  alive: boolean;
  readonly clients: Set<TestClient>;
}

/** One page, open or disconnected; `ended` if it may not reconnect. */
interface Login {
  readonly user: Person;
  readonly id: string;
  session: string;
  client: TestClient | undefined;
  /** Sockets of the same page that `client` has replaced, which the server should close. */
  readonly replaced: TestClient[];
  tracker: Tracker | undefined;
  node: number;
  ended: boolean;
}

/** The expected state. */
interface Model {
  readonly trust: Set<string>;
  readonly revoked: Map<string, number>;
  readonly logins: Login[];
}

/** The real state. */
interface Real {
  readonly nodes: Node[];
  readonly store: Store;
  readonly url: string;
  readonly breaches: string[];
  /** Sockets whose session was ended. */
  readonly closing: TestClient[];
}

const pair = (a: Person, b: Person) => [a, b].toSorted().join(" ");
const isOpen = (login: Login) => login.client !== undefined;

async function startNode(url: string): Promise<Node> {
  const wire = await startCuttableProxy(redis.url);
  const server = await createServer({
    ...{ port: 0, store: url, log },
    cluster: createRedisCluster(wire.url, log, {
      lease: 900,
      recoveryCheck: 400,
      rewrite: 60_000,
      pollWhileAlone: 300,
      commandTimeout: 5_000,
    }),
    // So rarely that only messages between nodes can correct the lists.
    limits: { grace: 200, resync: 60_000, claims: 1_000, frameBurst: 10_000, failuresPerAccount: 1_000 },
  });
  return { server, wire, alive: true, clients: new Set() };
}

async function world(): Promise<{ model: Model; real: Real }> {
  const url = await postgres.database();
  const store = await openPostgresStore(url, log);
  for (const name of people) await store.addAccount(name, passwordHash);
  const nodes = [await startNode(url), await startNode(url), await startNode(url)];
  return {
    model: { trust: new Set(), revoked: new Map(), logins: [] },
    real: { nodes, store, url, breaches: [], closing: [] },
  };
}

async function open(model: Model, real: Real, login: Login, node: number): Promise<void> {
  const { server, alive, clients } = real.nodes[node]!;
  if (!alive) return;
  if (login.client) login.replaced.push(login.client);
  const client = await openClient(server.url);
  clients.add(client);
  const mayPass = (from: string) => {
    const sender = model.logins.find(({ id }) => id === from);
    if (sender === undefined) return false;
    if (sender.user === login.user || model.trust.has(pair(sender.user, login.user))) return true;
    return Date.now() - (model.revoked.get(pair(sender.user, login.user)) ?? 0) < propagation;
  };
  const tracker = track(client, (from) => {
    if (!mayPass(from)) real.breaches.push(`a signal of untrusted ${from} reached ${login.user}`);
  });
  client.send("authenticate", { version: 1, session: login.session });
  await client.next("peerList");
  if (client.received[0]?.data.peerId !== login.id) real.breaches.push("another peer id came back");
  Object.assign(login, { client, tracker, node });
  void client.closed.then(() => {
    real.breaches.push(...tracker.violations);
    if (login.client !== client) return;
    // A page that has lost its newest socket keeps no older one.
    login.client = undefined;
    for (const older of login.replaced) older.socket.terminate();
  });
}

type Step = fc.AsyncCommand<Model, Real>;

/** Runs a step on one of the logins that it applies to, or skips it. */
function onLogin(
  name: string,
  pick: number,
  fits: (login: Login, model: Model) => boolean,
  run: (login: Login, model: Model, real: Real) => Promise<void>,
): Step {
  const candidates = (model: Model) => model.logins.filter((login) => !login.ended && fits(login, model));
  return {
    check: (model) => candidates(model).length > 0,
    async run(model, real) {
      const among = candidates(model);
      if (among.length > 0) await run(among[pick % among.length]!, model, real);
    },
    toString: () => `${name}(${pick})`,
  };
}

const person = fc.constantFrom(...people);
const nodeNumber = fc.nat(2);
const pick = fc.nat(100);

const signIn = fc.tuple(person, nodeNumber).map(
  ([user, node]): Step => ({
    check: (model) => model.logins.length < 12,
    async run(model, real) {
      if (!real.nodes[node]!.alive) return;
      const login: Login = {
        ...{ user, id: newPeerId(), session: newSecret(), node, ended: false },
        ...{ client: undefined, tracker: undefined, replaced: [] },
      };
      const seen = Date.now();
      await real.store.addSession({ hash: hashOf(login.session), username: user, peer: login.id, seen });
      model.logins.push(login);
      await open(model, real, login, node);
    },
    toString: () => `signIn(${user}, ${node})`,
  }),
);

const reconnect = fc.tuple(pick, nodeNumber).map(([at, node]) =>
  onLogin(
    `reconnectOn${node}`,
    at,
    () => true,
    (login, model, real) => open(model, real, login, node),
  ),
);

const lose = pick.map((at) => onLogin("lose", at, isOpen, (login) => login.client!.break()));

const leave = fc.tuple(pick, fc.boolean()).map(([at, back]) =>
  onLogin(back ? "leave" : "leaveForGood", at, isOpen, async (login) => {
    login.client!.send("bye", { back });
    login.ended = !back;
    await login.client!.closed;
  }),
);

const trust = fc.tuple(person, person, nodeNumber).map(
  ([a, b, node]): Step => ({
    check: (model) => a !== b && !model.trust.has(pair(a, b)),
    async run(model, { nodes }) {
      if (!nodes[node]!.alive) return;
      model.trust.add(pair(a, b));
      await nodes[node]!.server.accounts.trust(a, capital(b), b, capital(a));
    },
    toString: () => `trust(${a}, ${b}, ${node})`,
  }),
);

const revoke = fc.tuple(pick, person).map(([at, other]) =>
  onLogin(
    `revoke ${other}`,
    at,
    (login, { trust }) => isOpen(login) && trust.has(pair(login.user, other)),
    async (login, model) => {
      model.trust.delete(pair(login.user, other));
      model.revoked.set(pair(login.user, other), Date.now());
      const answer = await login.client!.request("removeUser", { name: capital(other) });
      expect(answer.type).toBe("removeResponse");
      model.revoked.set(pair(login.user, other), Date.now());
    },
  ),
);

const changePassword = pick.map((at) =>
  onLogin("changePassword", at, isOpen, async (login, model, real) => {
    const others = model.logins.filter((other) => other !== login && other.user === login.user && !other.ended);
    for (const other of others) other.ended = true;
    const answer = await login.client!.request("changePassword", { current: password, password });
    login.session = answer.data.session;
    for (const { client } of others) if (client) real.closing.push(client);
  }),
);

const relay = fc.tuple(pick, pick).map(([from, to]) =>
  onLogin("relay", from, isOpen, async (login, { logins }) => {
    login.client!.send("peerRequest", { to: logins[to % logins.length]!.id, signal: { n: from } });
  }),
);

const kill = nodeNumber.map(
  (at): Step => ({
    check: () => true,
    async run(_, { nodes }) {
      const node = nodes[at]!;
      if (!node.alive || nodes.filter(({ alive }) => alive).length < 2) return;
      node.alive = false;
      node.wire.cut();
      await Promise.all([...node.clients].map((client) => client.break()));
      await node.server.close();
    },
    toString: () => `kill(${at})`,
  }),
);

const revive = nodeNumber.map(
  (at): Step => ({
    check: () => true,
    async run(_, { nodes, url }) {
      if (!nodes[at]!.alive) nodes[at] = await startNode(url);
    },
    toString: () => `revive(${at})`,
  }),
);

const isolate = nodeNumber.map(
  (at): Step => ({
    check: () => true,
    run: async (_, { nodes }) => nodes[at]!.wire.cut(),
    toString: () => `isolate(${at})`,
  }),
);

const restartRedis: fc.Arbitrary<Step> = fc.constant({
  check: () => true,
  async run() {
    await redis.kill();
    await redis.start();
  },
  toString: () => "restartRedis",
});

function expected(model: Model, login: Login): { users: string[]; peers: string[] } {
  const trusted = people.filter((other) => model.trust.has(pair(login.user, other)));
  const names = new Map<Person, string>([
    [login.user, "Us"],
    ...trusted.map((other) => [other, capital(other)] as const),
  ]);
  const peers = model.logins.filter((other) => other !== login && isOpen(other) && names.has(other.user));
  return {
    users: trusted.map(capital).toSorted(),
    peers: peers.map(({ user, id }) => `${names.get(user)} ${id}`).toSorted(),
  };
}

async function atRest(model: Model, real: Real): Promise<void> {
  for (const { wire, alive } of real.nodes) if (alive) wire.restore();
  const state = (login: Login, { users, peers }: Tracker) => ({
    login: `${login.user} ${login.id} on ${login.node}`,
    users: [...users].toSorted(),
    peers: [...peers].map(([id, name]) => `${name} ${id}`).toSorted(),
  });
  await eventually(
    () => {
      for (const login of model.logins)
        if (login.client && login.tracker) {
          const is = state(login, login.tracker);
          expect(is).toEqual({ login: is.login, ...expected(model, login) });
        }
    },
    { interval: 25 },
  );
  expect(model.logins.flatMap(({ tracker }) => tracker?.violations ?? [])).toEqual([]);
  // 1006: the socket ended with its node or its page.
  const closing = [...real.closing, ...model.logins.flatMap(({ replaced }) => replaced)];
  for (const client of closing) expect([4001, 4002, 1006]).toContain(await client.closed);
  expect(real.breaches).toEqual([]);
}

/** Repeats signals, since they may be lost while a node recovers. */
async function everyPairTalks(model: Model): Promise<void> {
  const open = model.logins.filter(isOpen);
  const trusts = (a: Login, b: Login) => a.user === b.user || model.trust.has(pair(a.user, b.user));
  const known = (to: Login) =>
    new Set(to.tracker!.signals.filter(({ signal }) => signal.hello).map(({ from }) => from));
  const should = (to: Login) => new Set(open.filter((from) => from !== to && trusts(from, to)).map(({ id }) => id));
  await eventually(
    async () => {
      for (const from of open)
        for (const to of open)
          if (from !== to) from.client!.send("peerRequest", { to: to.id, signal: { hello: from.id } });
      for (const peer of [...open, ...open]) await peer.client!.settled();
      for (const to of open) expect(known(to)).toEqual(should(to));
    },
    { interval: 100 },
  );
}

test("after any failures, every client's list becomes correct, and no signal reaches an untrusted peer", async () => {
  const steps = fc.commands(
    [
      signIn,
      signIn,
      reconnect,
      reconnect,
      lose,
      leave,
      trust,
      trust,
      revoke,
      changePassword,
      relay,
      kill,
      revive,
      isolate,
      restartRedis,
    ],
    { maxCommands: 40, size: "max" },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (commands) => {
      const { model, real } = await world();
      try {
        await fc.asyncModelRun(() => ({ model, real }), commands);
        await atRest(model, real);
        await everyPairTalks(model);
      } finally {
        for (const { client } of model.logins) client?.socket.terminate();
        for (const { server, wire, alive } of real.nodes) {
          if (alive) await server.close();
          wire.stop();
        }
        await real.store.close();
      }
    }),
    { numRuns: runs(10), endOnFailure: true },
  );
}, 600_000);
