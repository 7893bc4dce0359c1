import { StrictMode } from "react";
import { flushSync } from "react-dom";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BonevalueError, type Client } from "../../core/index.ts";
import { createNetwork } from "../../core/testing/network.ts";
import { eventually } from "../../tools/eventually.ts";
import { BonevalueProvider, type BonevalueProviderProps, type Connect } from "./index.ts";

const connect: Connect = { host: "p2p.example.com", username: "ann", password: "secret" };

let client: Client;
let roots: Root[];

beforeEach(() => {
  vi.useFakeTimers();
  client = {
    ...createNetwork().client("ann"),
    connect: vi.fn(async () => {}),
    disconnect: vi.fn(async () => {}),
  };
  roots = [];
});

afterEach(() => {
  for (const root of roots) flushSync(() => root.unmount());
  vi.runAllTimers();
  vi.useRealTimers();
});

function mount(props: Partial<BonevalueProviderProps> = {}, Wrapper = BonevalueProvider) {
  const root = createRoot(document.createElement("div"));
  roots.push(root);
  const render = (now: Partial<BonevalueProviderProps>) =>
    flushSync(() => root.render(<Wrapper client={client} connect={connect} {...now} />));
  render(props);
  return { render, unmount: () => flushSync(() => root.unmount()) };
}

describe("a provider with `connect`", () => {
  test("connects at mount, and disconnects a second after unmount", () => {
    const { unmount } = mount();
    expect(client.connect).toHaveBeenCalledExactlyOnceWith("p2p.example.com", { username: "ann", password: "secret" });
    unmount();
    expect(client.disconnect).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(client.disconnect).toHaveBeenCalledOnce();
  });

  test("disconnects at once when `connect` is removed, and connects when it is set again", () => {
    const { render } = mount();
    render({ connect: undefined });
    expect(client.disconnect).toHaveBeenCalledOnce();
    render({ connect });
    expect(client.connect).toHaveBeenCalledTimes(2);
    vi.runAllTimers();
    expect(client.disconnect).toHaveBeenCalledOnce();
  });

  test("does not touch the connection after `connect` was removed", () => {
    const { unmount } = mount();
    unmount();
    vi.runAllTimers();
    mount({ connect: undefined });
    vi.runAllTimers();
    expect(client.disconnect).toHaveBeenCalledOnce();
  });

  test("stays connected while another provider of the same client is mounted", () => {
    const one = mount();
    const other = mount();
    one.unmount();
    vi.runAllTimers();
    expect(client.disconnect).not.toHaveBeenCalled();
    other.unmount();
    vi.runAllTimers();
    expect(client.disconnect).toHaveBeenCalledOnce();
  });

  test("stays connected when the tree unmounts and mounts again within a second", () => {
    mount().unmount();
    vi.advanceTimersByTime(999);
    mount();
    vi.runAllTimers();
    expect(client.disconnect).not.toHaveBeenCalled();
  });

  test.for<[string, Connect]>([
    ["a password", connect],
    ["a token function", { host: "p2p.example.com", token: () => "token" }],
  ])("stays connected through StrictMode's double mount, with %s", ([, credentials]) => {
    mount({ connect: credentials }, (props) => (
      <StrictMode>
        <BonevalueProvider {...props} />
      </StrictMode>
    ));
    vi.runAllTimers();
    expect(client.disconnect).not.toHaveBeenCalled();
    // Equal arguments join the attempt that is running.
    const { calls } = vi.mocked(client.connect).mock;
    for (const call of calls) expect(call).toEqual(calls[0]);
  });

  test("connects once although each render passes a new object", () => {
    const { render } = mount({ connect: { ...connect } });
    render({ connect: { ...connect } });
    expect(client.connect).toHaveBeenCalledOnce();
  });

  test("connects again when `connect` changes", () => {
    const { render } = mount();
    render({ connect: { ...connect, host: "other.example.com" } });
    vi.runAllTimers();
    expect(vi.mocked(client.connect).mock.calls.map(([host]) => host)).toEqual([
      "p2p.example.com",
      "other.example.com",
    ]);
    expect(client.disconnect).not.toHaveBeenCalled();
  });

  test("calls the token function of the last render, and does not connect again for it", async () => {
    const { render } = mount({ connect: { host: "p2p.example.com", token: () => "first" } });
    render({ connect: { host: "p2p.example.com", token: () => "second" } });
    expect(client.connect).toHaveBeenCalledOnce();
    const credentials = vi.mocked(client.connect).mock.calls[0]?.[1] as unknown as { token(): string };
    expect(credentials.token()).toBe("second");
  });

  test("passes the error of a failed `connect` to onError", async () => {
    const error = new BonevalueError("unauthenticated", "Wrong password.");
    vi.mocked(client.connect).mockRejectedValue(error);
    const onError = vi.fn();
    mount({ onError });
    await eventually(() => expect(onError).toHaveBeenCalledExactlyOnceWith(error));
  });

  test("does not report an attempt that it ended or that another call replaced", async () => {
    const onError = vi.fn();
    vi.mocked(client.connect).mockRejectedValue(new BonevalueError("cancelled", "Replaced."));
    mount({ onError });
    vi.mocked(client.connect).mockRejectedValue(new BonevalueError("unreachable", "No server."));
    mount({ onError }).unmount();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(onError).not.toHaveBeenCalled();
  });

  test("disconnects the previous client when the client changes", () => {
    const { render } = mount();
    render({ client: { ...client, disconnect: vi.fn(async () => {}) } });
    vi.runAllTimers();
    expect(client.disconnect).toHaveBeenCalledOnce();
  });
});

test("a provider without `connect` neither connects nor disconnects", () => {
  const { unmount } = mount({ connect: undefined });
  unmount();
  vi.runAllTimers();
  expect(client.connect).not.toHaveBeenCalled();
  expect(client.disconnect).not.toHaveBeenCalled();
});

describe("a provider with `resume`", () => {
  const onError = vi.fn();
  beforeEach(() => onError.mockReset());

  /** Replaces `client.resume` with `outcome`. */
  function resumeWith(outcome: () => Promise<boolean>) {
    client = { ...client, resume: vi.fn(outcome) };
  }

  const settled = () => vi.advanceTimersByTimeAsync(0);

  test("does not connect if it has resumed, and disconnects a second after unmount", async () => {
    resumeWith(async () => true);
    const { unmount } = mount({ resume: true });
    await settled();
    expect(client.resume).toHaveBeenCalledOnce();
    expect(client.connect).not.toHaveBeenCalled();
    unmount();
    vi.advanceTimersByTime(1_000);
    expect(client.disconnect).toHaveBeenCalledOnce();
  });

  test("connects if there is nothing to resume, and if the server could not be reached", async () => {
    for (const outcome of [async () => false, async () => Promise.reject(new BonevalueError("unreachable", "No."))]) {
      resumeWith(outcome);
      const { unmount } = mount({ resume: true, onError });
      await settled();
      expect(client.connect).toHaveBeenCalledOnce();
      vi.mocked(client.connect).mockClear();
      unmount();
    }
    expect(onError).not.toHaveBeenCalled();
  });

  test("passes the error of a failed resume to onError if `connect` is not set", async () => {
    const unreachable = new BonevalueError("unreachable", "No.");
    resumeWith(() => Promise.reject(unreachable));
    mount({ resume: true, connect: undefined, onError });
    await settled();
    expect(onError).toHaveBeenCalledExactlyOnceWith(unreachable);
    expect(client.disconnect).not.toHaveBeenCalled();
  });

  test("connects at once when `connect` is set or changes later", async () => {
    resumeWith(async () => true);
    const { render } = mount({ resume: true, connect: undefined });
    await settled();
    render({ resume: true, connect });
    expect(client.connect).toHaveBeenCalledOnce();
    render({ resume: true, connect: undefined });
    await settled();
    expect(client.resume).toHaveBeenCalledOnce();
    expect(client.disconnect).toHaveBeenCalledOnce();
  });

  test("signs in once in StrictMode", async () => {
    let shared: Promise<boolean> | undefined;
    // Like a real client: concurrent calls share one attempt.
    resumeWith(() => (shared ??= Promise.resolve(false)));
    mount({ resume: true }, (props) => (
      <StrictMode>
        <BonevalueProvider {...props} />
      </StrictMode>
    ));
    await settled();
    expect(client.resume).toHaveBeenCalled();
    expect(client.connect).toHaveBeenCalledOnce();
    expect(client.disconnect).not.toHaveBeenCalled();
  });

  test("does not connect after it has unmounted", async () => {
    resumeWith(async () => false);
    const { unmount } = mount({ resume: true });
    unmount();
    await settled();
    expect(client.connect).not.toHaveBeenCalled();
  });
});
