import { createTransport } from "nodemailer";
import type { Service } from "../invitation-page.ts";
import { shortenedName } from "../names.ts";
import type { InvitationLink, ServerOptions } from "../server.ts";

/** Creates the function that mails invitations through an SMTP server. Throws if the sender is missing. */
export function createSmtpMail(
  url: string,
  from: string | undefined,
  service: Service,
): NonNullable<ServerOptions["mail"]> {
  if (from === undefined) throw new Error("--smtp needs --mail-from, the sender address of invitations.");
  if (!/^smtps?:\/\//.test(url)) throw new Error("--smtp must be an smtp:// or smtps:// URL.");
  const transport = createTransport(url);
  return async (to, invitation) => {
    await transport.sendMail({ from, to, ...invitationMail(to, invitation, service) });
  };
}

/** Returns subject and text of an invitation. The subject contains no text of the inviter. */
export function invitationMail(
  to: string,
  { link, expires, inviter, hasAccount }: InvitationLink,
  { name, appUrl }: Service,
): { subject: string; text: string } {
  const who = inviter === undefined ? "You are invited" : `${shortenedName(inviter)} invites you`;
  const what = hasAccount
    ? `${who} to connect${on(name)} with your account ${to}.\n\nTo accept, open this link and enter your password:`
    : `${who}${name === undefined ? "" : ` to ${name}`}.\n\nChoose a password here:`;
  const app = appUrl === undefined ? "" : `\n${name ?? "The app"}: ${appUrl}\n`;
  return {
    subject: hasAccount
      ? `Invitation to connect${on(name)}`
      : `You are invited${name === undefined ? "" : ` to ${name}`}`,
    text: `${what}\n\n${link}\n\nThe link works once, until ${expires.toUTCString()}. If you did not expect this invitation, ignore this message.\n${app}`,
  };
}

function on(name: string | undefined): string {
  return name === undefined ? "" : ` on ${name}`;
}
