import { existsSync } from "node:fs";

/** Where Chromium is on this machine: `CHROMIUM` names it, else the usual places are tried. Undefined: not installed. */
export function chromiumPath(): string | undefined {
  const places = [
    process.env["CHROMIUM"],
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ];
  return places.find((place) => place !== undefined && existsSync(place));
}

/** How Chromium starts for tests: WebRTC stays on this machine, and nothing is multicast. */
export function chromiumLaunch(): { headless: true; args: string[]; executablePath?: string } {
  const executablePath = chromiumPath();
  return {
    headless: true,
    args: [
      "--no-sandbox",
      "--allow-loopback-in-peer-connection",
      "--disable-features=WebRtcHideLocalIpsWithMdns",
      // Two pages of one test must both keep their timers' pace, and only one of them is in front.
      "--disable-background-timer-throttling",
      "--disable-renderer-backgrounding",
    ],
    ...(executablePath !== undefined && { executablePath }),
  };
}

/** Without it a page gathers no host candidates on loopback. */
export const chromiumContext: { permissions: string[] } = { permissions: ["microphone"] };
