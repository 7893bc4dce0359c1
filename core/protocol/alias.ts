/** Matches every alias and every peer. Reserved: no user can have it as an alias. */
export const everyone = "*";

/** The alias of an account's own other logins. Reserved: no user can have it as an alias. */
export const us = "Us";
