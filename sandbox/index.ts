export type { MessageView } from './message-view.js';
