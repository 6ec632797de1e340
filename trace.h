/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tracepoints. A vif is named by its domid and handle, which outlive a rename.
 */

#undef TRACE_SYSTEM
#define TRACE_SYSTEM xen_netback

#if !defined(XENVIF_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define XENVIF_TRACE_H

#include <linux/tracepoint.h>

#include "common.h"

/* Bytes of the reason for a fatal error that are kept. */
#define XENVIF_TRACE_WHY	48

TRACE_DEFINE_ENUM(XENVIF_TX_PACKET);
TRACE_DEFINE_ENUM(XENVIF_TX_MCAST);
TRACE_DEFINE_ENUM(XENVIF_TX_DROP);

/* A packet of the guest's, or a message, good or bad. */
TRACE_EVENT(xenvif_tx_packet,
	    TP_PROTO(const struct xenvif_queue *queue, int verdict,
		     const struct xenvif_tx_packet *pkt, int status),
	    TP_ARGS(queue, verdict, pkt, status),

	    TP_STRUCT__entry(__field(u16, domid)
			     __field(u32, handle)
			     __field(u32, queue)
			     __field(int, verdict)
			     __field(u8, bad)
			     __field(u32, len)
			     __field(u32, requests)
			     __field(u32, slots)
			     __field(u16, flags)
			     __field(u8, gso_type)
			     __field(u16, gso_size)
			     __field(int, status)),

	    TP_fast_assign(__entry->domid = queue->vif->domid;
			   __entry->handle = queue->vif->handle;
			   __entry->queue = queue->id;
			   __entry->verdict = verdict;
			   __entry->bad = pkt->bad;
			   __entry->len = pkt->len;
			   __entry->requests = pkt->n_requests;
			   __entry->slots = pkt->n_slots;
			   __entry->flags = pkt->flags;
			   __entry->gso_type = pkt->gso_type;
			   __entry->gso_size = pkt->gso_size;
			   __entry->status = status;),

	    TP_printk("vif%u.%u-q%u %s bad=%u len=%u requests=%u slots=%u flags=%#x gso=%u/%u status=%d",
		      __entry->domid, __entry->handle, __entry->queue,
		      __print_symbolic(__entry->verdict,
				       { XENVIF_TX_PACKET, "packet" },
				       { XENVIF_TX_MCAST, "mcast" },
				       { XENVIF_TX_DROP, "drop" }),
		      __entry->bad, __entry->len, __entry->requests, __entry->slots,
		      __entry->flags, __entry->gso_type, __entry->gso_size, __entry->status));

/* A packet that was cut into slots for the guest. */
TRACE_EVENT(xenvif_rx_packet,
	    TP_PROTO(const struct xenvif_queue *queue, const struct sk_buff *skb, u32 slots,
		     u32 extras),
	    TP_ARGS(queue, skb, slots, extras),

	    TP_STRUCT__entry(__field(u16, domid)
			     __field(u32, handle)
			     __field(u32, queue)
			     __field(u32, len)
			     __field(u32, slots)
			     __field(u32, extras)
			     __field(u16, gso_size)
			     __field(u8, ip_summed)),

	    TP_fast_assign(__entry->domid = queue->vif->domid;
			   __entry->handle = queue->vif->handle;
			   __entry->queue = queue->id;
			   __entry->len = skb->len;
			   __entry->slots = slots;
			   __entry->extras = extras;
			   __entry->gso_size = skb_shinfo(skb)->gso_size;
			   __entry->ip_summed = skb->ip_summed;),

	    TP_printk("vif%u.%u-q%u len=%u slots=%u extras=%u gso_size=%u ip_summed=%u",
		      __entry->domid, __entry->handle, __entry->queue, __entry->len,
		      __entry->slots, __entry->extras, __entry->gso_size, __entry->ip_summed));

/* What was done with one hypercall and one push of responses. */
DECLARE_EVENT_CLASS(xenvif_batch,
		    TP_PROTO(const struct xenvif_queue *queue, u32 packets, u32 copies,
			     u32 responses, bool notify),
		    TP_ARGS(queue, packets, copies, responses, notify),

		    TP_STRUCT__entry(__field(u16, domid)
				     __field(u32, handle)
				     __field(u32, queue)
				     __field(u32, packets)
				     __field(u32, copies)
				     __field(u32, responses)
				     __field(bool, notify)),

		    TP_fast_assign(__entry->domid = queue->vif->domid;
				   __entry->handle = queue->vif->handle;
				   __entry->queue = queue->id;
				   __entry->packets = packets;
				   __entry->copies = copies;
				   __entry->responses = responses;
				   __entry->notify = notify;),

		    TP_printk("vif%u.%u-q%u packets=%u copies=%u responses=%u notify=%d",
			      __entry->domid, __entry->handle, __entry->queue, __entry->packets,
			      __entry->copies, __entry->responses, __entry->notify));

DEFINE_EVENT(xenvif_batch, xenvif_tx_batch,
	     TP_PROTO(const struct xenvif_queue *queue, u32 packets, u32 copies, u32 responses,
		      bool notify),
	     TP_ARGS(queue, packets, copies, responses, notify));

DEFINE_EVENT(xenvif_batch, xenvif_rx_batch,
	     TP_PROTO(const struct xenvif_queue *queue, u32 packets, u32 copies, u32 responses,
		      bool notify),
	     TP_ARGS(queue, packets, copies, responses, notify));

/* The guest has posted no buffers for too long, or has again. */
TRACE_EVENT(xenvif_stall,
	    TP_PROTO(const struct xenvif_queue *queue, bool stalled),
	    TP_ARGS(queue, stalled),

	    TP_STRUCT__entry(__field(u16, domid)
			     __field(u32, handle)
			     __field(u32, queue)
			     __field(bool, stalled)),

	    TP_fast_assign(__entry->domid = queue->vif->domid;
			   __entry->handle = queue->vif->handle;
			   __entry->queue = queue->id;
			   __entry->stalled = stalled;),

	    TP_printk("vif%u.%u-q%u %s", __entry->domid, __entry->handle, __entry->queue,
		      __entry->stalled ? "stalled" : "ready"));

/* The guest broke a ring. */
TRACE_EVENT(xenvif_fatal,
	    TP_PROTO(const struct xenvif *vif, const char *why),
	    TP_ARGS(vif, why),

	    TP_STRUCT__entry(__field(u16, domid)
			     __field(u32, handle)
			     __array(char, why, XENVIF_TRACE_WHY)),

	    TP_fast_assign(__entry->domid = vif->domid;
			   __entry->handle = vif->handle;
			   strscpy(__entry->why, why, XENVIF_TRACE_WHY);),

	    TP_printk("vif%u.%u %s", __entry->domid, __entry->handle, __entry->why));

/* A message of the control ring, and its answer. */
TRACE_EVENT(xenvif_ctrl,
	    TP_PROTO(const struct xenvif *vif, const struct xen_netif_ctrl_request *req,
		     const struct xen_netif_ctrl_response *rsp),
	    TP_ARGS(vif, req, rsp),

	    TP_STRUCT__entry(__field(u16, domid)
			     __field(u32, handle)
			     __field(u16, id)
			     __field(u16, type)
			     __array(u32, data, 3)
			     __field(u32, status)
			     __field(u32, answer)),

	    TP_fast_assign(__entry->domid = vif->domid;
			   __entry->handle = vif->handle;
			   __entry->id = req->id;
			   __entry->type = req->type;
			   memcpy(__entry->data, req->data, sizeof(__entry->data));
			   __entry->status = rsp->status;
			   __entry->answer = rsp->data;),

	    TP_printk("vif%u.%u id=%u type=%u data=%u,%u,%u status=%u answer=%u",
		      __entry->domid, __entry->handle, __entry->id, __entry->type,
		      __entry->data[0], __entry->data[1], __entry->data[2],
		      __entry->status, __entry->answer));

#endif /* XENVIF_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace

#include <trace/define_trace.h>
