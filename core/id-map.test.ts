import { expect, test } from "vitest";
import { fc } from "../tools/property.ts";
import { createIdMap } from "./id-map.ts";

test("it holds what a Map of the same history holds", () => {
  const step = fc.record({ number: fc.oneof(fc.nat(20), fc.integer({ min: 0, max: 2 ** 40 })), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const numbered = createIdMap<string>();
      const map = new Map<number, string>();
      for (const { number, remove } of steps) {
        if (remove) expect(numbered.delete(number)).toBe(map.delete(number));
        else if (!map.has(number)) {
          numbered.add(number, `value of ${number}`);
          map.set(number, `value of ${number}`);
        }
        expect(numbered.get(number)).toBe(map.get(number));
      }
      expect(numbered.size).toBe(map.size);
      expect(new Set(numbered.ids())).toEqual(new Set(map.keys()));
    }),
  );
});
