import { expect, test } from "vitest";
import { fc } from "../tools/property.ts";
import { createIdMap } from "./id-map.ts";

test("an id map behaves like a Map", () => {
  const step = fc.record({ number: fc.oneof(fc.nat(20), fc.integer({ min: 0, max: 2 ** 40 })), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const idMap = createIdMap<string>();
      const map = new Map<number, string>();
      for (const { number, remove } of steps) {
        if (remove) expect(idMap.delete(number)).toBe(map.delete(number));
        else if (!map.has(number)) {
          idMap.add(number, `value of ${number}`);
          map.set(number, `value of ${number}`);
        }
        expect(idMap.get(number)).toBe(map.get(number));
      }
      expect(idMap.size).toBe(map.size);
      expect(new Set(idMap.ids())).toEqual(new Set(map.keys()));
    }),
  );
});
