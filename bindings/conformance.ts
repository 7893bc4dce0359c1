import { describe, type TestContext, test } from "vitest";
import { callBehaviours } from "./conformance/calls.ts";
import { cleanupBehaviours } from "./conformance/cleanup.ts";
import { type Behaviours, withFixture } from "./conformance/fixture.ts";
import type { Framework } from "./conformance/framework.ts";
import { identityBehaviours } from "./conformance/identity.ts";
import { moduleAndEventBehaviours } from "./conformance/modules-and-events.ts";
import { presenceBehaviours } from "./conformance/presence.ts";
import { resumeBehaviours } from "./conformance/resume.ts";
import { serverRenderingBehaviours } from "./conformance/server-rendering.ts";
import { stateBehaviours } from "./conformance/state.ts";

declare module "vitest" {
  interface TaskMeta {
    /** The binding under test. */
    binding?: string;
  }
}

const behaviours: Behaviours = {
  ...stateBehaviours,
  ...callBehaviours,
  ...moduleAndEventBehaviours,
  ...presenceBehaviours,
  ...resumeBehaviours,
  ...identityBehaviours,
  ...cleanupBehaviours,
  ...serverRenderingBehaviours,
};

/** Registers the tests that every framework's binding passes. */
export function testConformance(framework: Framework): void {
  describe(`the ${framework.name} binding`, () => {
    for (const [title, behaviour] of Object.entries(behaviours)) {
      test(title, { timeout: 30_000 }, async ({ task }: TestContext) => {
        task.meta.binding = framework.name;
        await withFixture(framework, behaviour);
      });
    }
  });
}
