import { expect, test } from "vitest";
import { browserName } from "./browser-name.ts";

const like = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)";

test.each([
  [`${like} Chrome/156.0.0.0 Safari/537.36`, "Chromium 156"],
  [`${like} Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0`, "Edge 156"],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", "Firefox 153"],
  ["Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15", "Safari 18"],
  ["", "a browser"],
])("%s gives %s", (userAgent, name) => {
  expect(browserName(userAgent)).toBe(name);
});
