// Records docs/img/demo.gif from the demo: node examples/demo/record/main.ts
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ensureBuilt from "../../../tools/build.ts";
import { launch, type Tab } from "../../../tools/e2e.ts";
import { createFilm } from "./film.ts";

const size = { width: 960, height: 600 };
const file = fileURLToPath(new URL("../../../docs/img/demo.gif", import.meta.url));

ensureBuilt();
// Imported here, because its imports need the build.
const { startDemo } = await import("../demo.ts");
const demo = await startDemo({ host: "127.0.0.1", port: 0, log() {} });
const browser = await launch();
const [ann, oli] = [await open(), await open()];
await ann.page.setViewportSize(size);
const film = await createFilm(browser, ann.page, size);

await film.hold(1_200);
await click(ann, "Sign in as Ann");
await film.roll(1_200);
await film.hold(800);
await click(oli, "Sign in as Oli");
await ann.page.locator(".peer").nth(2).waitFor();
await film.roll(1_000);
await film.hold(800);
// A second call, so that the times are those of open links.
for (const _ of ["the first call opens the links", "the second uses them"]) {
  await click(ann, "Send to everyone");
  await film.roll(1_500);
  await film.hold(1_000);
}
await oli.page.locator("#text").fill("Hello Ann");
await click(oli, "Send to everyone");
await film.roll(1_500);
await film.hold(2_500);

const bytes = film.encode();
writeFileSync(file, bytes);
console.log(`${file}: ${(bytes.length / 1e6).toFixed(2)} MB`);
await browser.close();
await demo.close();

function open(): Promise<Tab> {
  return browser.open(demo.urls[0]!, { isolated: true });
}

async function click({ page }: Tab, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
}
