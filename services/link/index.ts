export { Batch, type BatchLimits } from './batch.ts';
export { connectLink, type LinkClient, type LinkClientOptions } from './link-client.socket.ts';
export { type LinkHandler, type LinkServer, type LinkServerOptions, serveLink } from './link-server.socket.ts';
