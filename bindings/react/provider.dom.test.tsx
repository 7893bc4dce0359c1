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
  test("connects when it mounts, and disconnects a moment after it has gone", () => {
    const { unmount } = mount();
    expect(client.connect).toHaveBeenCalledExactlyOnceWith("p2p.example.com", { username: "ann", password: "secret" });
    unmount();
    expect(client.disconnect).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(client.disconnect).toHaveBeenCalledOnce();
  });

  test("disconnects at once when it says nothing any more, and connects when it says the same again", () => {
    const { render } = mount();
    render({ connect: undefined });
    expect(client.disconnect).toHaveBeenCalledOnce();
    render({ connect });
    expect(client.connect).toHaveBeenCalledTimes(2);
    vi.runAllTimers();
    expect(client.disconnect).toHaveBeenCalledOnce();
  });

  test("leaves a connection alone that is the app's again", () => {
    const { unmount } = mount();
    unmount();
    vi.runAllTimers();
    mount({ connect: undefined });
    vi.runAllTimers();
    expect(client.disconnect).toHaveBeenCalledOnce();
  });

  test("stays connected while another of the same client is mounted", () => {
    const one = mount();
    const other = mount();
    one.unmount();
    vi.runAllTimers();
    expect(client.disconnect).not.toHaveBeenCalled();
    other.unmount();
    vi.runAllTimers();
    expect(client.disconnect).toHaveBeenCalledOnce();
  });

  test("stays connected when a tree is unmounted only to be mounted again", () => {
    mount().unmount();
    vi.advanceTimersByTime(999);
    mount();
    vi.runAllTimers();
    expect(client.disconnect).not.toHaveBeenCalled();
  });

  test.for<[string, Connect]>([
    ["a password", connect],
    ["a token function", { host: "p2p.example.com", token: () => "token" }],
  ])("stays connected through StrictMode's rehearsal, with %s", ([, wish]) => {
    mount({ connect: wish }, (props) => (
      <StrictMode>
        <BonevalueProvider {...props} />
      </StrictMode>
    ));
    vi.runAllTimers();
    expect(client.disconnect).not.toHaveBeenCalled();
    // The same again is the same attempt.
    const { calls } = vi.mocked(client.connect).mock;
    for (const call of calls) expect(call).toEqual(calls[0]);
  });

  test("connects once, though the object is another in each render", () => {
    const { render } = mount({ connect: { ...connect } });
    render({ connect: { ...connect } });
    expect(client.connect).toHaveBeenCalledOnce();
  });

  test("connects anew when it says something else", () => {
    const { render } = mount();
    render({ connect: { ...connect, host: "other.example.com" } });
    vi.runAllTimers();
    expect(vi.mocked(client.connect).mock.calls.map(([host]) => host)).toEqual([
      "p2p.example.com",
      "other.example.com",
    ]);
    expect(client.disconnect).not.toHaveBeenCalled();
  });

  test("asks the token function of the last render, which is no reason to connect anew", async () => {
    const { render } = mount({ connect: { host: "p2p.example.com", token: () => "first" } });
    render({ connect: { host: "p2p.example.com", token: () => "second" } });
    expect(client.connect).toHaveBeenCalledOnce();
    const credentials = vi.mocked(client.connect).mock.calls[0]?.[1] as unknown as { token(): string };
    expect(credentials.token()).toBe("second");
  });

  test("says why it could not connect", async () => {
    const error = new BonevalueError("unauthenticated", "Wrong password.");
    vi.mocked(client.connect).mockRejectedValue(error);
    const onError = vi.fn();
    mount({ onError });
    await eventually(() => expect(onError).toHaveBeenCalledExactlyOnceWith(error));
  });

  test("keeps an attempt to itself that it ended, or that others took over", async () => {
    const onError = vi.fn();
    vi.mocked(client.connect).mockRejectedValue(new BonevalueError("cancelled", "Taken over."));
    mount({ onError });
    vi.mocked(client.connect).mockRejectedValue(new BonevalueError("unreachable", "No server."));
    mount({ onError }).unmount();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(onError).not.toHaveBeenCalled();
  });

  test("lets go of a client that it is not given any more", () => {
    const { render } = mount();
    render({ client: { ...client, disconnect: vi.fn(async () => {}) } });
    vi.runAllTimers();
    expect(client.disconnect).toHaveBeenCalledOnce();
  });
});

test("a provider without `connect` leaves the connection to the app", () => {
  const { unmount } = mount({ connect: undefined });
  unmount();
  vi.runAllTimers();
  expect(client.connect).not.toHaveBeenCalled();
  expect(client.disconnect).not.toHaveBeenCalled();
});
