import puppeteer, { type Browser } from "puppeteer-core";

/** Starts Firefox over WebDriver BiDi with a profile of its own; WebRTC stays on this machine. The caller closes it. */
export function launchFirefox(): Promise<Browser> {
  return puppeteer.launch({
    browser: "firefox",
    executablePath: "/usr/bin/firefox-esr",
    headless: true,
    extraPrefsFirefox: {
      "media.peerconnection.ice.loopback": true,
      // Without them a page gathers no host candidates on loopback.
      "permissions.default.microphone": 1,
      "permissions.default.camera": 1,
    },
  });
}
