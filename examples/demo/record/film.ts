import gifenc from "gifenc";
import type { Page } from "playwright";
import type { TestBrowser } from "../../../tools/e2e.ts";

const { GIFEncoder, applyPalette, quantize } = gifenc;

/** A moving picture of a page. Times in ms of the film. */
export interface Film {
  /** Takes pictures for so long. */
  roll(time: number): Promise<void>;
  /** Takes one picture, and shows it for so long. */
  hold(time: number): Promise<void>;
  /** Returns all pictures as a GIF that repeats. */
  encode(): Uint8Array;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Picture {
  readonly rgba: Uint8Array;
  delay: number;
}

// A picture takes longer than it is shown, so the page's animations run more slowly than in the film.
const slowness = 8;

/** Creates an empty film of a page of this size. */
export async function createFilm(browser: TestBrowser, page: Page, size: Size): Promise<Film> {
  const decoder = await browser.open({ html: "<!doctype html><canvas></canvas>" });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Animation.enable");
  await devtools.send("Animation.setPlaybackRate", { playbackRate: 1 / slowness });
  const pictures: Picture[] = [];

  async function take(): Promise<Picture> {
    const image = (await page.screenshot()).toString("base64");
    const pixels = await decoder.page.evaluate(decode, { image, size });
    const picture = { rgba: new Uint8Array(Buffer.from(pixels, "base64")), delay: 0 };
    pictures.push(picture);
    return picture;
  }

  return {
    async roll(time) {
      const end = performance.now() + time * slowness;
      for (let now = performance.now(); now < end; ) {
        const picture = await take();
        const after = performance.now();
        picture.delay = (after - now) / slowness;
        now = after;
      }
    },
    async hold(time) {
      (await take()).delay = time;
    },
    encode: () => encode(pictures, size),
  };
}

/** Returns the pixels of a PNG as RGBA. Both are in base64. Runs in a page, because Node cannot decode pictures. */
async function decode({ image, size }: { readonly image: string; readonly size: Size }): Promise<string> {
  const canvas = Object.assign(document.querySelector("canvas")!, size);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const bytes = Uint8Array.from(atob(image), (letter) => letter.charCodeAt(0));
  context.drawImage(await createImageBitmap(new Blob([bytes], { type: "image/png" })), 0, 0);
  const { data } = context.getImageData(0, 0, size.width, size.height);
  let text = "";
  for (let at = 0; at < data.length; at += 32_768) text += String.fromCharCode(...data.subarray(at, at + 32_768));
  return btoa(text);
}

// One color of the palette stands for pixels that do not change.
const unchanged = 255;

function encode(pictures: readonly Picture[], { width, height }: Size): Uint8Array {
  const palette = quantize(samplesOf(pictures), unchanged);
  const fullPalette = [...palette, ...Array.from({ length: unchanged + 1 - palette.length }, () => [0, 0, 0])];
  const gif = GIFEncoder();
  let before: Uint32Array | undefined;
  for (const { rgba, delay } of joinEqual(pictures)) {
    const colors = new Uint32Array(rgba.buffer);
    const pixels = applyPalette(rgba, palette);
    if (before) for (const [at, color] of colors.entries()) if (color === before[at]) pixels[at] = unchanged;
    const common = { delay, transparentIndex: unchanged, dispose: 1 };
    gif.writeFrame(
      pixels,
      width,
      height,
      before ? { ...common, transparent: true } : { ...common, palette: fullPalette },
    );
    before = colors;
  }
  gif.finish();
  return gif.bytes();
}

/** The pixels of the first, the middle and the last picture, from which the palette is made. */
function samplesOf(pictures: readonly Picture[]): Uint8Array {
  const chosen = [0, pictures.length >> 1, pictures.length - 1].map((index) => pictures[index]!.rgba);
  return new Uint8Array(Buffer.concat(chosen));
}

/** Joins equal pictures that follow each other. */
function joinEqual(pictures: readonly Picture[]): readonly Picture[] {
  const joined: Picture[] = [];
  for (const { rgba, delay } of pictures) {
    const last = joined.at(-1);
    if (last && Buffer.compare(last.rgba, rgba) === 0) last.delay += delay;
    else joined.push({ rgba, delay });
  }
  return joined;
}
