import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fromBase64Url, toBase64Url } from "../bytes.ts";
import { BonevalueError, type ErrorCode } from "../errors.ts";
import { createPlatformAlgorithms } from "./algorithms.ts";
import type { Identity } from "./identify.ts";
import { certify, type IdentityRecord, isPending } from "./record.ts";
import { bob, claim, day, eve, idOf, keyOf, now, own, recordOf } from "./testing/records.ts";
import { isMadeBy } from "./tokens.ts";
import { createUserActions } from "./user-actions.ts";
import { createTokenPart, readTokenPart } from "./user-changes.ts";

const algorithms = createPlatformAlgorithms(crypto.subtle);

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now }));
afterEach(() => void vi.useRealTimers());

interface Options {
  readonly record?: IdentityRecord;
  readonly isRoom?: boolean;
  /** The users that the server lists. */
  readonly users?: readonly string[];
  /** Runs before each change of the record. */
  readonly write?: () => Promise<void>;
}

/** The actions of a sign-in, with Bob, Carol and another device of the user online. */
function setUp({ record: given = recordOf(), isRoom = false, users = [], write }: Options = {}) {
  let record = given;
  let isStopped = false;
  const watchers = new Set<() => void>();
  const listed = [...users];
  const dialed: string[] = [];
  const ended: ((alias: string, verified: boolean) => boolean)[] = [];
  const reset = vi.fn(async () => {});
  const server = {
    requestToken: vi.fn(async (_alias: string) => ({ token: "server", expires: new Date(now + 1) })),
    claimToken: vi.fn(async (_alias: string, _token: string) => {}),
    removeUser: vi.fn(async (_alias: string) => {}),
  };
  const identity = {
    client: {
      isUser: (alias: string) => listed.includes(alias),
      peers: () => ["Bob", "Carol", "Us"].map((name) => ({ id: name, name })),
      dial: async (id: string) => void dialed.push(id),
    },
    algorithms,
    isRoom,
    links: { end: (filter: (typeof ended)[number]) => ended.push(filter) },
    watchers,
    get isStopped() {
      return isStopped;
    },
    get record() {
      return record;
    },
    async apply(change: (known: IdentityRecord) => IdentityRecord) {
      await write?.();
      record = change(record);
    },
    reset,
  } as unknown as Identity;
  const actions = createUserActions(identity);
  const signOut = () => {
    isStopped = true;
    for (const watcher of [...watchers]) watcher();
  };
  return { ...actions, ...actions.tokens(server), server, listed, dialed, ended, reset, signOut, known: () => record };
}

const failing = (code: ErrorCode) => () => Promise.reject(new BonevalueError(code, "The server has said no."));
const derived = { ...recordOf(), derived: true };
const knowingBob = certify(recordOf(), "Bob", idOf(bob), now - day);

/** A token that `maker` has made for a user. */
async function tokenBy(maker: number, serverPart = "server"): Promise<string> {
  return `${serverPart}.${(await createTokenPart(algorithms, 0, keyOf(maker))).text}`;
}

describe("requesting a token", () => {
  test("joins the server's part and the clients' part, which waits a week", async () => {
    const { requestToken, server, known } = setUp();
    const { token, expires } = await requestToken("Bob");
    expect(token).toMatch(/^server\.[\w-]{32}$/);
    expect(expires).toEqual(new Date(now + 1));
    expect(server.requestToken).toHaveBeenCalledExactlyOnceWith("Bob");
    const part = readTokenPart(token)!;
    expect(await isMadeBy(algorithms, part, 0, keyOf(own))).toBe(true);
    expect(known().tokens).toEqual([{ alias: "Bob", secret: toBase64Url(part.secret), until: now + 7 * day }]);
  });

  test.for<[string, string, Options, ErrorCode | undefined]>([
    ["for the own devices", "Us", {}, undefined],
    ["for a user whom the server lists", "Bob", { users: ["Bob"] }, undefined],
    ["where the app decides who trusts whom", "Bob", {}, "unsupported"],
  ])("%s makes one that no server knows, for 10 minutes", async ([, alias, options, code]) => {
    const { requestToken, server, known } = setUp(options);
    if (code) server.requestToken.mockImplementation(failing(code));
    const { token, expires } = await requestToken(alias);
    expect(token).toMatch(/^\.[\w-]{32}$/);
    expect(expires).toEqual(new Date(now + 600_000));
    expect(known().tokens).toMatchObject([{ alias, until: now + 600_000 }]);
    expect(server.requestToken).toHaveBeenCalledTimes(code ? 1 : 0);
  });

  test("passes another refusal of the server on, and makes none", async () => {
    const { requestToken, server, known } = setUp();
    server.requestToken.mockImplementation(failing("busy"));
    await expect(requestToken("Bob")).rejects.toMatchObject({ code: "busy" });
    expect(known().tokens).toEqual([]);
  });

  test("for the own devices is unsupported where the account has a secret", async () => {
    const { requestToken, known } = setUp({ record: derived });
    await expect(requestToken("Us")).rejects.toMatchObject({ code: "unsupported" });
    expect(known().tokens).toEqual([]);
    await expect(requestToken("Bob")).resolves.toBeDefined();
  });
});

describe("claiming a token", () => {
  test("that only the server knows asks the server alone", async () => {
    const { claimToken, server, known } = setUp();
    await claimToken("Bob", "server");
    expect(server.claimToken).toHaveBeenCalledExactlyOnceWith("Bob", "server");
    expect(known().claims).toEqual([]);
  });

  test("tells the server its part alone, and the user is dialed on a link that is verified", async () => {
    const { claimToken, server, known, dialed, ended } = setUp();
    const token = await tokenBy(bob);
    await claimToken("Bob", token);
    expect(server.claimToken).toHaveBeenCalledExactlyOnceWith("Bob", "server");
    const [secret, binding] = [readTokenPart(token)!.secret, readTokenPart(token)!.binding].map(toBase64Url);
    expect(known().claims).toEqual([{ alias: "Bob", secret, binding, until: now + 7 * day, answered: false }]);
    expect(dialed).toEqual(["Bob"]);
    expect(ended).toHaveLength(1);
    expect([ended[0]!("Bob", false), ended[0]!("Bob", true), ended[0]!("Carol", false)]).toEqual([true, false, false]);
  });

  test.for<[string, Options, string]>([
    ["that begins with a dot", {}, ""],
    ["for a user whom the server lists", { users: ["Bob"] }, "server"],
  ])("%s tells the server nothing", async ([, options, serverPart]) => {
    const { claimToken, server, known } = setUp(options);
    await claimToken("Bob", await tokenBy(bob, serverPart));
    expect(server.claimToken).not.toHaveBeenCalled();
    expect(known().claims).toHaveLength(1);
  });

  test("of the account that is certain for the name needs no answer", async () => {
    for (const [maker, answered] of [
      [bob, true],
      [eve, false],
    ] as const) {
      const { claimToken, known } = setUp({ record: knowingBob });
      await claimToken("Bob", await tokenBy(maker));
      expect(known().claims).toMatchObject([{ answered }]);
    }
  });

  test("that the server refuses restores the claim before", async () => {
    const others = { ...claim, alias: "Carol" };
    const { claimToken, server, known, dialed } = setUp({ record: { ...knowingBob, claims: [claim, others] } });
    server.claimToken.mockImplementation(failing("token-invalid"));
    await expect(claimToken("Bob", await tokenBy(bob))).rejects.toMatchObject({ code: "token-invalid" });
    expect(known()).toEqual({ ...knowingBob, claims: [others, claim] });
    expect(dialed).toEqual([]);
  });

  test("that the server refuses ends once the claim before is stored again", async () => {
    const write = vi.fn(async () => {});
    const { claimToken, server } = setUp({ write });
    const failure = new BonevalueError("unsupported", "The disk is full.");
    server.claimToken.mockImplementation(() => {
      write.mockRejectedValue(failure);
      return failing("token-invalid")();
    });
    await expect(claimToken("Bob", await tokenBy(bob))).rejects.toBe(failure);
  });

  test.for(["disconnected", "timeout", "unreachable"] as const)("keeps the claim after %s", async (code) => {
    const { claimToken, server, known } = setUp();
    server.claimToken.mockImplementation(failing(code));
    await expect(claimToken("Bob", await tokenBy(bob))).rejects.toMatchObject({ code });
    expect(isPending(known(), "Bob", now)).toBe(true);
  });

  test("that the server refuses verifies all the same if both users have claimed at once", async () => {
    const { claimToken, server, known, listed, dialed } = setUp();
    server.claimToken.mockImplementation(() => {
      listed.push("Bob");
      return failing("token-invalid")();
    });
    await claimToken("Bob", await tokenBy(bob));
    expect(isPending(known(), "Bob", now)).toBe(true);
    expect(dialed).toEqual(["Bob"]);
  });

  test("changes nothing if a part of it is missing", async () => {
    const { claimToken, server, known } = setUp();
    await expect(claimToken("Bob", "server.AAAA")).rejects.toMatchObject({ code: "token-invalid" });
    expect(known().claims).toEqual([]);
    expect(server.claimToken).not.toHaveBeenCalled();
  });

  test("for the own devices links this one, or is unsupported where the account has a secret", async () => {
    const linking = setUp();
    const linked = linking.claimToken("Us", await tokenBy(bob, ""));
    await vi.waitUntil(() => linking.dialed.length > 0, { timeout: 30_000 });
    expect(linking.dialed).toContain("Us");
    expect(linking.known().claims).toMatchObject([{ alias: "Us" }]);
    linking.signOut();
    await expect(linked).rejects.toMatchObject({ code: "cancelled" });
    const { claimToken, known } = setUp({ record: derived });
    await expect(claimToken("Us", await tokenBy(bob, ""))).rejects.toMatchObject({ code: "unsupported" });
    expect(known().claims).toEqual([]);
  });
});

describe("ending the trust in a user", () => {
  test.for<[ErrorCode | undefined, boolean]>([
    [undefined, true],
    ["alias-unknown", true],
    ["disconnected", false],
  ])("with the answer %s of the server forgets the user: %s", async ([code, isForgotten]) => {
    const { removeUser, server, known } = setUp({ record: knowingBob });
    if (code) server.removeUser.mockImplementation(failing(code));
    if (code) await expect(removeUser("Bob")).rejects.toMatchObject({ code });
    else await removeUser("Bob");
    expect(known().users).toHaveLength(isForgotten ? 0 : 1);
    expect(known().ended).toEqual(isForgotten ? [idOf(bob)] : []);
  });
});

test("an account that a user shows is accepted", async () => {
  const { acceptIdentity, known } = setUp({ record: { ...recordOf(), users: [{ alias: "Bob", seen: idOf(bob) }] } });
  await acceptIdentity("Bob", idOf(bob));
  expect(known().users).toMatchObject([{ alias: "Bob", certain: idOf(bob), since: now }]);
});

test("a removal is told to the own devices and to verified users at once", async () => {
  const { removeDevice, known, dialed, ended } = setUp({ record: knowingBob });
  await removeDevice(idOf(99));
  expect(known().removed).toEqual([{ account: idOf(own), keys: [toBase64Url(fromBase64Url(idOf(99))!.slice(0, 16))] }]);
  expect(dialed).toEqual(["Bob", "Us"]);
  expect(["Bob", "Carol", "Us"].map((alias) => ended[0]!(alias, true))).toEqual([true, false, true]);
});

test("nothing that has to be stored is shown, sent or reported as done before", async () => {
  const failure = new BonevalueError("unsupported", "The disk is full.");
  const { server, dialed, ...actions } = setUp({ record: knowingBob, write: () => Promise.reject(failure) });
  const token = await tokenBy(eve);
  for (const act of [
    () => actions.requestToken("Us"),
    () => actions.claimToken("Carol", token),
    () => actions.removeUser("Bob"),
    () => actions.acceptIdentity("Bob", idOf(bob)),
    () => actions.removeDevice(idOf(99)),
  ])
    await expect(act()).rejects.toBe(failure);
  expect(server.claimToken).not.toHaveBeenCalled();
  expect(dialed).toEqual([]);
  server.removeUser.mockImplementation(failing("alias-unknown"));
  await expect(actions.removeUser("Bob")).rejects.toBe(failure);
});

test("a reset makes a new record", async () => {
  const { resetIdentity, reset } = setUp();
  await resetIdentity();
  expect(reset).toHaveBeenCalledTimes(1);
  const failure = new BonevalueError("unsupported", "The disk is full.");
  reset.mockRejectedValueOnce(failure);
  await expect(resetIdentity()).rejects.toBe(failure);
});

test("in a room there is nothing to accept, to remove or to reset", async () => {
  const { acceptIdentity, removeDevice, resetIdentity, reset, known } = setUp({ isRoom: true, record: knowingBob });
  for (const action of [acceptIdentity("Bob", idOf(bob)), removeDevice(idOf(99)), resetIdentity()])
    await expect(action).rejects.toMatchObject({ code: "unsupported" });
  expect(reset).not.toHaveBeenCalled();
  expect(known()).toBe(knowingBob);
});
