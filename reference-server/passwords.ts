import { hash as argon2, verify as argon2Verify, parseOptions } from "@node-rs/argon2";
import { closeCode } from "../core/protocol/close-code.ts";
import { Refusal } from "./refusal.ts";
import { newSecret } from "./secrets.ts";

// OWASP's argon2id: 19 MiB, two passes, one lane. 12 to 16 ms.
const policy = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const longest = 1_024;
// A third would not be faster, and would starve the thread pool of everybody else.
const atOnce = 2;

/** Hashes and checks passwords, two at a time; the others wait their turn. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** Takes as long where there is no hash: an unknown user looks like a wrong password. */
  verify(hash: string | undefined, password: string): Promise<boolean>;
}

/** `queue`: how many may wait; one more is refused with `rate-limited`. `took` hears how many seconds each has taken. */
export async function createPasswords(queue: number, took: (seconds: number) => void = () => {}): Promise<Passwords> {
  const turns = createTurns(queue);
  const inTurn: typeof turns = async (work) => {
    const began = performance.now();
    const result = await turns(work);
    took((performance.now() - began) / 1_000);
    return result;
  };
  const nobodys = await argon2(newSecret(), policy);
  return {
    hash: (password) => inTurn(() => argon2(password, policy)),
    async verify(hash, password) {
      if (Buffer.byteLength(password) > longest) return false;
      const right = await inTurn(() => argon2Verify(hash ?? nobodys, password));
      return right && hash !== undefined;
    },
  };
}

/** Throws `invalid-request` for a password that nobody may choose. */
export function checkPassword(password: string, shortest: number): void {
  if (password.length < shortest)
    throw new Refusal(
      "invalid-request",
      shortest > 1 ? `A password has at least ${shortest} characters.` : "A password is not empty.",
    );
  if (Buffer.byteLength(password) > longest)
    throw new Refusal("invalid-request", `A password has at most ${longest} bytes.`);
}

/** Whether a hash is weaker than what is made today. */
export function isOutdated(hash: string): boolean {
  const { memoryCost, timeCost } = parseOptions(hash);
  return memoryCost < policy.memoryCost || timeCost < policy.timeCost;
}

function createTurns(queue: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;

  return async (work) => {
    if (running >= atOnce) {
      if (waiting.length >= queue)
        throw new Refusal("rate-limited", "Too many people sign in at this moment: try again soon.", {
          close: closeCode.overloaded,
          after: 5_000,
        });
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running++;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
