/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/verbs/completion.h"

enum weft_status weft_verbs_status(enum ibv_wc_status status)
{
    switch (status) {
    case IBV_WC_SUCCESS:
        return WEFT_OK;
    case IBV_WC_WR_FLUSH_ERR:
        return WEFT_FLUSHED;
    case IBV_WC_LOC_LEN_ERR:
        return WEFT_LOCAL_LENGTH;
    case IBV_WC_LOC_PROT_ERR:
    case IBV_WC_LOC_ACCESS_ERR:
    case IBV_WC_MW_BIND_ERR:
        return WEFT_LOCAL_PROTECTION;
    case IBV_WC_REM_INV_REQ_ERR:
    case IBV_WC_REM_INV_RD_REQ_ERR:
        return WEFT_REMOTE_INVALID_REQUEST;
    case IBV_WC_REM_ACCESS_ERR:
        return WEFT_REMOTE_ACCESS;
    case IBV_WC_REM_OP_ERR:
    case IBV_WC_REM_ABORT_ERR:
        return WEFT_REMOTE_OPERATION;
    case IBV_WC_RETRY_EXC_ERR:
    case IBV_WC_RESP_TIMEOUT_ERR:
        return WEFT_RETRY_EXCEEDED;
    case IBV_WC_RNR_RETRY_EXC_ERR:
        return WEFT_RNR_RETRY_EXCEEDED;
    /* The device's own trouble, or of things that are not used here. */
    case IBV_WC_LOC_QP_OP_ERR:
    case IBV_WC_LOC_EEC_OP_ERR:
    case IBV_WC_BAD_RESP_ERR:
    case IBV_WC_LOC_RDD_VIOL_ERR:
    case IBV_WC_INV_EECN_ERR:
    case IBV_WC_INV_EEC_STATE_ERR:
    case IBV_WC_FATAL_ERR:
    case IBV_WC_GENERAL_ERR:
    case IBV_WC_TM_ERR:
    case IBV_WC_TM_RNDV_INCOMPLETE:
        break;
    }
    return WEFT_IO;
}
