import type { ReactNode } from 'react';
import { Dialog as AriaDialog } from 'react-aria-components/Dialog';
import { Heading } from 'react-aria-components/Heading';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';

/** A dialog over the page. Focus stays in it and goes back where it was. Escape closes it unless `mustAnswer`. */
export function Dialog(props: {
  title: string;
  isOpen: boolean;
  onClose?: () => void;
  mustAnswer?: boolean;
  children: ReactNode;
}) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen={props.isOpen}
      isDismissable={false}
      isKeyboardDismissDisabled={props.mustAnswer ?? false}
      onOpenChange={(open) => (open ? undefined : props.onClose?.())}
    >
      <Modal className="modal">
        <AriaDialog className="dialog">
          <Heading slot="title" className="dialog-title">
            {props.title}
          </Heading>
          {props.children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
