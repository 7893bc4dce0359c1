import { expect, test } from "vitest";
import { invitationMail } from "./mail.ts";

const invitation = {
  link: "https://bv.example.org/invite#secret",
  expires: new Date("2030-01-02T03:04:05Z"),
  inviter: undefined,
  hasAccount: false,
};

test("a mail names the inviter and the service, and ends with a link into the app", () => {
  const service = { name: "Todo", appUrl: "https://todo.example.org" };
  const { subject, text } = invitationMail("bob@example.org", { ...invitation, inviter: "ann" }, service);
  expect(subject).toBe("You are invited to Todo");
  expect(text).toMatch(
    /^ann invites you to Todo\.\n\nChoose a password here:\n\nhttps:\/\/bv\.example\.org\/invite#secret\n/,
  );
  expect(text).toMatch(/until Wed, 02 Jan 2030 03:04:05 GMT\./);
  expect(text).toMatch(/\nTodo: https:\/\/todo\.example\.org\n$/);
});

test("a mail to a user says that the password of the account is asked for", () => {
  const { subject, text } = invitationMail("bob@example.org", { ...invitation, inviter: "ann", hasAccount: true }, {});
  expect(subject).toBe("Invitation to connect");
  expect(text).toMatch(/^ann invites you to connect with your account bob@example\.org\.\n/);
  expect(text).toMatch(/enter your password/);
});

test("a mail of the operator names nobody", () => {
  expect(invitationMail("bob@example.org", invitation, {})).toMatchObject({
    subject: "You are invited",
    text: expect.stringMatching(/^You are invited\.\n/),
  });
});

test("a long user name is cut, and no part of it is in the subject", () => {
  const inviter = `https://evil.example.org/${"x".repeat(200)}`;
  const { subject, text } = invitationMail("bob@example.org", { ...invitation, inviter }, { name: "Todo" });
  expect(subject).not.toContain("evil");
  expect(text.split("\n", 1)[0]).toHaveLength(`${"x".repeat(64)} invites you to Todo.`.length);
});
