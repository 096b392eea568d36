import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameReader, MAX_FRAME_BYTES } from './framing.ts';

function header(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    const values = [{ a: 1 }, 'žluťoučký kůň', null, [1, [2]], { long: 'x'.repeat(5000) }];
    const stream = Buffer.concat(values.map(encodeFrame));
    for (const size of [1, 2, 3, 5, 7, 4096, stream.length]) {
      const reader = new FrameReader();
      const got: unknown[] = [];
      for (let at = 0; at < stream.length; at += size) got.push(...reader.push(stream.subarray(at, at + size)));
      expect(got).toEqual(values);
    }
  });

  it('are at most 1 MiB: a writer is refused', () => {
    const longest = 'x'.repeat(MAX_FRAME_BYTES - 2);
    expect(new FrameReader().push(encodeFrame(longest))).toEqual([longest]);
    expect(() => encodeFrame(`${longest}x`)).toThrow(expect.objectContaining({ code: 'link-frame-too-large' }));
  });

  it('of a reader are refused by their header, before a byte of them is kept', () => {
    for (const length of [MAX_FRAME_BYTES + 1, 0xffffffff]) {
      expect(() => new FrameReader().push(header(length))).toThrow(
        expect.objectContaining({ code: 'link-frame-too-large' }),
      );
    }
  });

  it('must be JSON in UTF-8', () => {
    for (const body of [Buffer.from('{'), Buffer.from(''), Buffer.from([0x22, 0xff, 0x22])]) {
      const frame = Buffer.concat([header(body.length), body]);
      expect(() => new FrameReader().push(frame)).toThrow(expect.objectContaining({ code: 'link-frame-malformed' }));
    }
  });

  it('that are nested as deep as a frame allows are read without exhausting the stack', () => {
    const depth = MAX_FRAME_BYTES / 2;
    const body = Buffer.from('['.repeat(depth) + ']'.repeat(depth));
    expect(new FrameReader().push(Buffer.concat([header(body.length), body]))).toHaveLength(1);
  });
});
