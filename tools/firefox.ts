import puppeteer, { type Browser } from "puppeteer-core";

/** Starts Firefox with a new profile over WebDriver BiDi. WebRTC uses loopback. The caller closes it. */
export function launchFirefox(): Promise<Browser> {
  return puppeteer.launch({
    browser: "firefox",
    executablePath: "/usr/bin/firefox-esr",
    headless: true,
    extraPrefsFirefox: {
      "media.peerconnection.ice.loopback": true,
      // Pages need these permissions to gather host candidates on loopback.
      "permissions.default.microphone": 1,
      "permissions.default.camera": 1,
    },
  });
}
