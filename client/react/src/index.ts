export { BelfryProvider, type BelfryProviderProps, useBelfry } from "./context.js";
export {
  Banner,
  type BannerProps,
  Bell,
  type BellProps,
  type ElementProps,
  Inbox,
  type InboxProps,
  type OpenProps,
  Tasks,
  Toasts,
  type ToastsProps,
} from "./elements.js";
export { type Notifications, useAnnouncements, useNotifications, useStatus, useTask, useUnread } from "./hooks.js";
