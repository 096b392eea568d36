import { useState } from 'react';
import { Group } from 'react-aria-components/Group';
import type { Certificate } from '../app/contract.ts';
import { PERMISSION, useMay } from '../app/session.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { HoldDialog } from './HoldDialog.tsx';
import { RenewDialog } from './RenewDialog.tsx';
import { RevokeDialog } from './RevokeDialog.tsx';

type Asked = 'revoke' | 'hold' | 'release' | 'renew';

/** What the server says can be done with a certificate. Of hold and release the one that makes sense is shown. */
export function CertificateActs({ certificate }: { certificate: Certificate }) {
  const [asking, setAsking] = useState<Asked | null>(null);
  const mayRenew = useMay(PERMISSION.createEnrolments) && certificate.status === 'active';
  const { status, revocation, allowedActions } = certificate;
  const counts = revocation === null && (status === 'active' || status === 'on-hold');
  const act = (name: Asked) => allowedActions.find(({ action }) => action === name);
  const turn = counts ? act(status === 'on-hold' ? 'release' : 'hold') : undefined;
  const revoke = act('revoke');
  const dialog = (name: Asked) => ({ certificate, isOpen: asking === name, onClose: () => setAsking(null) });
  if (revoke === undefined) return null;
  return (
    <Group className="actions" aria-label={t.cards.acts}>
      {mayRenew && counts ? <Button onPress={() => setAsking('renew')}>{t.certificates.renew}</Button> : null}
      {turn?.allowed || (turn && revoke.allowed) ? (
        <Button disabledReason={turn.disabledReason} onPress={() => setAsking(turn.action as 'hold' | 'release')}>
          {t.certificates[turn.action as 'hold' | 'release']}
        </Button>
      ) : null}
      <Button variant="danger" disabledReason={revoke.disabledReason} onPress={() => setAsking('revoke')}>
        {t.certificates.revoke}
      </Button>
      <RenewDialog {...dialog('renew')} />
      <HoldDialog {...dialog('hold')} act="hold" />
      <HoldDialog {...dialog('release')} act="release" />
      <RevokeDialog {...dialog('revoke')} />
    </Group>
  );
}
