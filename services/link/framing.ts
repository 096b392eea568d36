import { DomainError } from '@cardwright/protocol';

/** A frame is a u32 (big-endian) count of bytes and that many bytes of UTF-8 JSON. */
export const MAX_FRAME_BYTES = 1024 * 1024;
const HEADER_BYTES = 4;

/** @throws DomainError `link-frame-too-large` (unprocessable) when the JSON is over {@link MAX_FRAME_BYTES}. */
export function encodeFrame(value: unknown): Buffer {
  const json = JSON.stringify(value);
  const length = Buffer.byteLength(json, 'utf8');
  if (length > MAX_FRAME_BYTES) {
    throw new DomainError(
      'unprocessable',
      'link-frame-too-large',
      `A message between processes is at most ${MAX_FRAME_BYTES} bytes; this one has ${length}`,
    );
  }
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
  frame.writeUInt32BE(length, 0);
  frame.write(json, HEADER_BYTES, 'utf8');
  return frame;
}

/**
 * Cuts a byte stream into frames. The length is judged before anything of that length is kept, so a peer can make us
 * hold at most one frame. After an error the stream has no meaning any more: the connection must be dropped.
 */
export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;

  /**
   * @returns the values of all frames that `chunk` completes, in order.
   * @throws DomainError `link-frame-too-large` or `link-frame-malformed` (invalid).
   */
  push(chunk: Buffer): unknown[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const values: unknown[] = [];
    while (this.#size >= HEADER_BYTES) {
      const length = this.#peekLength();
      if (length > MAX_FRAME_BYTES) {
        throw new DomainError('invalid', 'link-frame-too-large', `A frame is at most ${MAX_FRAME_BYTES} bytes.`);
      }
      if (this.#size < HEADER_BYTES + length) break;
      values.push(parse(this.#take(HEADER_BYTES + length).subarray(HEADER_BYTES)));
    }
    return values;
  }

  #peekLength(): number {
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= HEADER_BYTES) return first.readUInt32BE(0);
    return this.#join().readUInt32BE(0);
  }

  #take(count: number): Buffer {
    const all = this.#join();
    const rest = all.subarray(count);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#size = rest.length;
    return all.subarray(0, count);
  }

  // Joined only when a whole frame (or its header) is there, so that a frame that arrives in many small pieces
  // costs one copy and not one a piece.
  #join(): Buffer {
    const only = this.#chunks[0];
    if (only !== undefined && this.#chunks.length === 1) return only;
    const all = Buffer.concat(this.#chunks, this.#size);
    this.#chunks = [all];
    return all;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new DomainError('invalid', 'link-frame-malformed', 'A frame must be UTF-8 JSON.', { cause });
  }
}
