import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

/** Sorts of records that have a page. */
export type RecordKind = 'person' | 'card' | 'device' | 'certificate';

/** A link to the page of a record. */
export function RecordLink(props: { kind: RecordKind; id: string; children: ReactNode; className?: string }) {
  const common = { children: props.children, ...(props.className ? { className: props.className } : {}) };
  switch (props.kind) {
    case 'person':
      return <Link to="/people/$personId" params={{ personId: props.id }} {...common} />;
    case 'card':
      return <Link to="/cards/$cardId" params={{ cardId: props.id }} {...common} />;
    case 'device':
      return <Link to="/devices/$deviceId" params={{ deviceId: props.id }} {...common} />;
    case 'certificate':
      return <Link to="/certificates/$certificateId" params={{ certificateId: props.id }} {...common} />;
  }
}
