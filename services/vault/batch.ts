export { Batch } from '@cardwright/link';
