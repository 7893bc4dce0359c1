import { existsSync } from "node:fs";

/** The path of Chromium: the variable `CHROMIUM`, or a default path. Undefined if it is not installed. */
export function chromiumPath(): string | undefined {
  const candidates = [
    process.env["CHROMIUM"],
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ];
  return candidates.find((place) => place !== undefined && existsSync(place));
}

/**
 * The path of the headless shell: Chromium without its window, which takes less than half the processor time to start
 * and to open pages, but has no back/forward cache. Where it is not installed, the path of Chromium.
 */
export function headlessShellPath(): string | undefined {
  const shell = "/usr/bin/chromium-headless-shell";
  return process.env["CHROMIUM"] === undefined && existsSync(shell) ? shell : chromiumPath();
}

/** Launch options for tests: WebRTC uses loopback and no multicast. */
export function shellLaunch(): ChromiumLaunch {
  return chromiumLaunch(headlessShellPath());
}

interface ChromiumLaunch {
  headless: true;
  args: string[];
  executablePath?: string;
}

/** The same for Chromium with all its parts, such as for benchmarks. */
export function chromiumLaunch(executablePath: string | undefined = chromiumPath()): ChromiumLaunch {
  return {
    headless: true,
    args: [
      "--no-sandbox",
      "--allow-loopback-in-peer-connection",
      "--disable-features=WebRtcHideLocalIpsWithMdns",
      // Background tabs must not throttle their timers, because tests use several tabs.
      "--disable-background-timer-throttling",
      "--disable-renderer-backgrounding",
    ],
    ...(executablePath !== undefined && { executablePath }),
  };
}

/** Pages need this permission to gather host candidates on loopback. */
export const chromiumContext: { permissions: string[] } = { permissions: ["microphone"] };
