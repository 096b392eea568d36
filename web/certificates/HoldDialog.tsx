import { answerOf, api } from '../app/api.ts';
import type { Certificate } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { ReasonDialog } from '../ui/ReasonDialog.tsx';

const TEXTS = {
  hold: { title: t.certificates.holdTitle, what: t.certificates.holdWhat, confirm: t.certificates.holdConfirm },
  release: {
    title: t.certificates.releaseTitle,
    what: t.certificates.releaseWhat,
    confirm: t.certificates.releaseConfirm,
  },
};

/** Puts a certificate on hold, or releases it. */
export function HoldDialog(props: {
  certificate: Certificate;
  act: 'hold' | 'release';
  isOpen: boolean;
  onClose: () => void;
}) {
  const { act, certificate } = props;
  const params = { path: { certificateId: certificate.id } };
  return (
    <ReasonDialog
      title={TEXTS[act].title}
      isOpen={props.isOpen}
      onClose={props.onClose}
      more={{}}
      ticket
      variant={act === 'hold' ? 'danger' : 'primary'}
      confirm={TEXTS[act].confirm}
      perform={({ reason: comment, ...why }, headers) => {
        const body = { comment, ...why };
        return act === 'hold'
          ? answerOf(api.POST('/api/v1/certificates/{certificateId}/holds', { params, body, headers }))
          : answerOf(api.POST('/api/v1/certificates/{certificateId}/releases', { params, body, headers }));
      }}
      touches={[['certificates'], ['revocations'], ['events']]}
    >
      <p>{TEXTS[act].what}</p>
    </ReasonDialog>
  );
}
