import { createTransport } from "nodemailer";
import type { ServerOptions } from "../server.ts";

/** Creates the function that mails invitations through an SMTP server. Throws if the sender is missing. */
export function createSmtpMail(url: string, from: string | undefined): NonNullable<ServerOptions["mail"]> {
  if (from === undefined) throw new Error("--smtp needs --mail-from, the sender address of invitations.");
  if (!/^smtps?:\/\//.test(url)) throw new Error("--smtp must be an smtp:// or smtps:// URL.");
  const transport = createTransport(url);
  return async (to, { link, expires }) => {
    await transport.sendMail({
      from,
      to,
      subject: "You are invited",
      text: `You have been invited. Choose a password here:\n\n${link}\n\nThe link works once, until ${expires.toUTCString()}. If you did not expect this invitation, ignore this message.\n`,
    });
  };
}
