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

/** Launch options for tests: WebRTC uses loopback and no multicast. */
export function chromiumLaunch(): { headless: true; args: string[]; executablePath?: string } {
  const executablePath = chromiumPath();
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
