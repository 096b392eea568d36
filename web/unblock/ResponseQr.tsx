import { en as t } from '../texts/en.ts';
import { qrCode } from './qr-code.ts';

/** The response to be scanned: the same text that stands beside it, which is what is read to who can't see the picture. */
export function ResponseQr({ lines }: { lines: readonly string[] }) {
  const { size, path } = qrCode(lines);
  return (
    <svg className="response-qr" role="img" aria-label={t.unblock.qrAlt} viewBox={`0 0 ${size} ${size}`}>
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" shapeRendering="crispEdges" />
    </svg>
  );
}
