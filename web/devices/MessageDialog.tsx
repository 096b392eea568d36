import { type FormEvent, useState } from 'react';
import { useAct } from '../app/act.ts';
import { answerOf, api } from '../app/api.ts';
import { ApiError } from '../app/api-error.ts';
import type { Device } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { TextInput } from '../ui/TextInput.tsx';

/** A message that the agent shows to who uses the device, when it checks in next. */
export function MessageDialog(props: { device: Device; isOpen: boolean; onClose: () => void }) {
  return (
    <Dialog title={t.tasks.messageTitle(props.device.hostName)} isOpen={props.isOpen} onClose={props.onClose}>
      <MessageForm deviceId={props.device.id} onClose={props.onClose} />
    </Dialog>
  );
}

function MessageForm({ deviceId, onClose }: { deviceId: string; onClose: () => void }) {
  const [text, setText] = useState('');
  const [attempted, setAttempted] = useState(false);
  const send = useAct({
    perform: (body: { text: string }, headers) =>
      answerOf(api.POST('/api/v1/devices/{deviceId}/messages', { params: { path: { deviceId } }, body, headers })),
    touches: [['tasks'], ['events']],
    onDone: onClose,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempted(true);
    if (text.trim() !== '') send.mutate({ text: text.trim() });
  };
  const refused = send.error instanceof ApiError ? send.error : undefined;
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <p>{t.tasks.messageWhat}</p>
      <ProblemNote error={send.error} />
      <TextInput
        label={t.tasks.message}
        value={text}
        onChange={setText}
        error={attempted && text.trim() === '' ? t.tasks.messageMissing : refused?.field('text')}
      />
      <div className="actions">
        <Button type="submit" variant="primary" pending={send.isPending}>
          {t.tasks.messageSend}
        </Button>
        <Button onPress={onClose}>{t.common.cancel}</Button>
      </div>
    </form>
  );
}
