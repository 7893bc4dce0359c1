import { testAttacks } from "./testing/attack-tests.ts";
import { createTarget } from "./testing/page-target.ts";
import { createLocalClient } from "./testing/users.ts";

testAttacks((username, password, { policy, host }) =>
  createTarget(createLocalClient({ identity: policy }), username, password, host),
);
