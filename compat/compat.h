/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the driver's sources expect of the newest kernel, made for older ones.
 *
 * Force-included into every file by the Makefile. The driver itself
 * holds no version test: whatever an older kernel lacks is supplied here, under
 * the newest name and with the newest meaning.
 */

#ifndef XENVIF_COMPAT_H
#define XENVIF_COMPAT_H

/* Before any header of the kernel's, as common.h has it in the tree. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "xen-netback needs Linux 6.1 or newer"
#endif

#include <linux/hrtimer.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <net/page_pool/helpers.h>
#include <xen/xenbus.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
/* The same queue, and since then its name. */
#define system_dfl_wq system_unbound_wq
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
/* hrtimer_setup() came with 6.13: initialise a timer and its function. */
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
/* Counters of a queue in netdev netlink came with 6.9: nobody asks for them, and
 * qstats.c is left out.
 */
static inline void compat_qstats_init(struct net_device *dev)
{
}

#define xenvif_qstats_init compat_qstats_init
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
/* So did, with 6.8, the link from a queue to its NAPI instance. */
enum netdev_queue_type {
	NETDEV_QUEUE_TYPE_RX,
	NETDEV_QUEUE_TYPE_TX,
};

static inline void netif_queue_set_napi(struct net_device *dev, unsigned int queue_index,
					enum netdev_queue_type type,
					struct napi_struct *napi)
{
}

/* ethtool_ops.get_rxfh had a parameter for each answer. */
struct ethtool_rxfh_param {
	u8 hfunc;
	u32 indir_size;
	u32 *indir;
	u32 key_size;
	u8 *key;
};

/* Expands where the function is defined: that one gets another name, and is called by
 * one with the old parameters. (Its name without parameters stays as it is.)
 */
#define xenvif_get_rxfh(...)						\
compat_get_rxfh(struct net_device *dev, struct ethtool_rxfh_param *rxfh); \
static int xenvif_get_rxfh(struct net_device *dev, u32 *indir, u8 *key,	\
			   u8 *hfunc)					\
{									\
	struct ethtool_rxfh_param rxfh = { .indir = indir, .key = key };	\
	int err = compat_get_rxfh(dev, &rxfh);				\
									\
	if (!err && hfunc)						\
		*hfunc = rxfh.hfunc;					\
	return err;							\
}									\
static int compat_get_rxfh(__VA_ARGS__)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
/* The nearest that there was. */
#define SKB_DROP_REASON_QUEUE_PURGE	SKB_DROP_REASON_FULL_RING
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
/* Describe a fragment: in one call since 6.5. */
static inline void skb_frag_fill_page_desc(skb_frag_t *frag, struct page *page, int off,
					   int size)
{
	__skb_frag_set_page(frag, page);
	skb_frag_off_set(frag, off);
	skb_frag_size_set(frag, size);
}

/* Free a packet in any context, saying why: the why came with 6.5. */
static inline void dev_kfree_skb_any_reason(struct sk_buff *skb,
					    enum skb_drop_reason reason)
{
	if (in_hardirq() || irqs_disabled())
		dev_kfree_skb_irq(skb);
	else
		kfree_skb_reason(skb, reason);
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
/* A pool gave whole pages or fragments, not both, until 6.7. Whole pages are then
 * fragments that are alone. Where a DMA address is longer than a pointer there were no
 * fragments, and whole pages take their place.
 */
#define XENVIF_COMPAT_POOL_FLAGS	\
	(PAGE_POOL_DMA_USE_PP_FRAG_COUNT ? 0 : PP_FLAG_PAGE_FRAG)

static inline struct page *compat_page_pool_dev_alloc_pages(struct page_pool *pool)
{
	struct page *page = page_pool_dev_alloc_pages(pool);

	if (likely(page) && !PAGE_POOL_DMA_USE_PP_FRAG_COUNT)
		page_pool_fragment_page(page, 1);
	return page;
}

static inline struct page *compat_page_pool_dev_alloc_frag(struct page_pool *pool,
							   unsigned int *offset,
							   unsigned int size)
{
	if (!PAGE_POOL_DMA_USE_PP_FRAG_COUNT)
		return page_pool_dev_alloc_frag(pool, offset, size);
	*offset = 0;
	return page_pool_dev_alloc_pages(pool);
}

#define page_pool_dev_alloc_frag compat_page_pool_dev_alloc_frag

#define page_pool_dev_alloc_pages compat_page_pool_dev_alloc_pages
#else
#define XENVIF_COMPAT_POOL_FLAGS	0
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
/* struct page_pool_params learnt of the pool's interface, for netlink, with 6.8, and of
 * its NAPI instance, for recycling without a lock, with 6.4. Older pools recycle
 * through their ring.
 */
struct compat_page_pool_params {
	unsigned int pool_size;
	int nid;
	struct napi_struct *napi;
	struct net_device *netdev;
};

static inline struct page_pool *
compat_page_pool_create(const struct compat_page_pool_params *params)
{
	struct page_pool_params old = {
		.flags = XENVIF_COMPAT_POOL_FLAGS,
		.pool_size = params->pool_size,
		.nid = params->nid,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
		.napi = params->napi,
#endif
	};

	return page_pool_create(&old);
}

#define page_pool_params compat_page_pool_params
#define page_pool_create compat_page_pool_create
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
/* The kernel's threads that work for a program (vhost's) were threads like others. */
#define PF_USER_WORKER	0
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
/* xenbus_driver.uevent took a device that was not const. */
struct compat_xenbus_driver {
	const struct xenbus_device_id *ids;
	bool allow_rebind;
	int (*probe)(struct xenbus_device *dev,
		     const struct xenbus_device_id *id);
	void (*otherend_changed)(struct xenbus_device *dev,
				 enum xenbus_state frontend_state);
	void (*remove)(struct xenbus_device *dev);
	int (*uevent)(const struct xenbus_device *dev,
		      struct kobj_uevent_env *env);
	struct xenbus_driver old;
};

/* The one that is registered: a device may have lost its driver meanwhile. */
static int (*compat_uevent)(const struct xenbus_device *dev,
			    struct kobj_uevent_env *env) __maybe_unused;

static inline int compat_xenbus_uevent(struct xenbus_device *dev,
				       struct kobj_uevent_env *env)
{
	return compat_uevent(dev, env);
}

#define compat_xenbus_register_backend(drv) ({			\
	struct compat_xenbus_driver *__drv = (drv);		\
								\
	__drv->old.ids = __drv->ids;				\
	__drv->old.allow_rebind = __drv->allow_rebind;		\
	__drv->old.probe = __drv->probe;			\
	__drv->old.otherend_changed = __drv->otherend_changed;	\
	__drv->old.remove = __drv->remove;			\
	compat_uevent = __drv->uevent;				\
	__drv->old.uevent = compat_xenbus_uevent;		\
	__xenbus_register_backend(&__drv->old, THIS_MODULE, KBUILD_MODNAME); })

#define compat_xenbus_unregister_driver(drv) xenbus_unregister_driver(&(drv)->old)

#define xenbus_driver compat_xenbus_driver
#undef xenbus_register_backend
#define xenbus_register_backend(drv) compat_xenbus_register_backend(drv)
#define xenbus_unregister_driver(drv) compat_xenbus_unregister_driver(drv)
#endif

#endif /* XENVIF_COMPAT_H */
