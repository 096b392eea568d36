/** Of this agent: that of its package, said here so that the agent in one file needs no other. A test compares the two. */
export const VERSION = '0.1.0';
