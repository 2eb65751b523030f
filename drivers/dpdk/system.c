/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/dpdk/system.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PCI_FOLDER "/sys/bus/pci/devices"
#define HUGEPAGE_FOLDER "/sys/kernel/mm/hugepages"

bool weft_system_read_line(const char *path, char *text, size_t size_bytes)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool read = fgets(text, (int)size_bytes, file) != NULL;
    (void)fclose(file);
    if (read)
        text[strcspn(text, "\n")] = '\0';
    return read;
}

static bool read_of(const char *folder, const char *name, const char *file, char *text,
                    size_t size_bytes)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s/%s", folder, name, file);
    return weft_system_read_line(path, text, size_bytes);
}

uint64_t weft_system_free_hugepage_bytes(void)
{
    DIR *folder = opendir(HUGEPAGE_FOLDER);
    if (!folder)
        return 0;
    uint64_t most = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        unsigned long long page_kib = 0;
        char text[32];
        if (sscanf(entry->d_name, "hugepages-%llukB", &page_kib) != 1 ||
            !read_of(HUGEPAGE_FOLDER, entry->d_name, "free_hugepages", text, sizeof(text)))
            continue;
        uint64_t bytes = strtoull(text, NULL, 10) * page_kib * 1024;
        if (bytes > most)
            most = bytes;
    }
    (void)closedir(folder);
    return most;
}

bool weft_system_may(enum weft_system_capability capability)
{
    FILE *file = fopen("/proc/self/status", "re");
    if (!file)
        return false;
    char line[256];
    unsigned long long effective = 0;
    while (fgets(line, sizeof(line), file) && sscanf(line, "CapEff: %llx", &effective) != 1)
        ;
    (void)fclose(file);
    return effective >> (unsigned)capability & 1;
}

/* Drivers that hand the device to user space; Mellanox's share it with the kernel. */
static bool is_user_space_driver(const char *driver)
{
    static const char *const drivers[] = {"vfio-pci",  "uio_pci_generic", "igb_uio",
                                          "mlx4_core", "mlx5_core",       "mana"};
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
        if (strcmp(driver, drivers[i]) == 0)
            return true;
    return false;
}

static bool read_pci(const char *address, struct weft_system_pci *ret_pci)
{
    char text[64];
    if (!read_of(PCI_FOLDER, address, "class", text, sizeof(text)) || strncmp(text, "0x02", 4) != 0)
        return false;
    *ret_pci = (struct weft_system_pci){.numa_node = -1};
    (void)snprintf(ret_pci->address, sizeof(ret_pci->address), "%.31s", address);

    char vendor[16] = "";
    char device[16] = "";
    (void)read_of(PCI_FOLDER, address, "vendor", vendor, sizeof(vendor));
    (void)read_of(PCI_FOLDER, address, "device", device, sizeof(device));
    if (strlen(vendor) == 6 && strlen(device) == 6)
        (void)snprintf(ret_pci->ids, sizeof(ret_pci->ids), "%.4s:%.4s", vendor + 2, device + 2);
    if (read_of(PCI_FOLDER, address, "numa_node", text, sizeof(text)))
        ret_pci->numa_node = (int32_t)strtol(text, NULL, 10);

    char path[PATH_MAX];
    char target[PATH_MAX];
    (void)snprintf(path, sizeof(path), PCI_FOLDER "/%s/driver", address);
    ssize_t len_bytes = readlink(path, target, sizeof(target) - 1);
    if (len_bytes > 0) {
        target[len_bytes] = '\0';
        const char *slash = strrchr(target, '/');
        (void)snprintf(ret_pci->driver, sizeof(ret_pci->driver), "%.63s",
                       slash ? slash + 1 : target);
    }
    ret_pci->usable = is_user_space_driver(ret_pci->driver);
    return true;
}

void weft_system_each_pci(weft_system_pci_visitor visit, void *context)
{
    struct dirent **entries = NULL;
    int count = scandir(PCI_FOLDER, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        struct weft_system_pci pci;
        if (read_pci(entries[i]->d_name, &pci))
            visit(context, &pci);
        free(entries[i]);
    }
    free(entries);
}

static void note_usable(void *context, const struct weft_system_pci *pci)
{
    bool *found = context;
    *found |= pci->usable;
}

bool weft_system_has_dpdk_pci(void)
{
    bool found = false;
    weft_system_each_pci(note_usable, &found);
    return found;
}

/* By ioctl, since /sys may show another network namespace than the thread's own. */
static bool ask(int socket_fd, unsigned long request, const char *name, struct ifreq *ret_answer)
{
    memset(ret_answer, 0, sizeof(*ret_answer));
    memcpy(ret_answer->ifr_name, name, strlen(name));
    return ioctl(socket_fd, request, ret_answer) == 0;
}

/* Only where there is hardware: a veth claims 10 Gbps. */
static void read_hardware(struct weft_system_interface *interface)
{
    char text[32];
    if (!read_of("/sys/class/net", interface->name, "device/uevent", text, sizeof(text)))
        return;
    if (read_of("/sys/class/net", interface->name, "speed", text, sizeof(text)) &&
        strtol(text, NULL, 10) > 0)
        interface->line_rate_bps = strtoull(text, NULL, 10) * 1000000;
    if (read_of("/sys/class/net", interface->name, "device/numa_node", text, sizeof(text)))
        interface->numa_node = (int32_t)strtol(text, NULL, 10);
}

bool weft_system_interface(const char *name, struct weft_system_interface *ret_interface)
{
    if (!*name || strlen(name) >= IFNAMSIZ)
        return false;
    int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_fd < 0)
        return false;
    struct weft_system_interface found = {.numa_node = -1};
    (void)snprintf(found.name, sizeof(found.name), "%s", name);
    struct ifreq answer;
    bool exists = ask(socket_fd, SIOCGIFMTU, name, &answer);
    if (exists) {
        found.mtu_bytes = (uint32_t)answer.ifr_mtu;
        if (ask(socket_fd, SIOCGIFFLAGS, name, &answer))
            found.up = answer.ifr_flags & IFF_UP;
        if (ask(socket_fd, SIOCGIFHWADDR, name, &answer))
            found.ethernet = answer.ifr_hwaddr.sa_family == ARPHRD_ETHER;
        read_hardware(&found);
        *ret_interface = found;
    }
    (void)close(socket_fd);
    return exists;
}

static bool is_address(const struct sockaddr *socket_address, const struct weft_ip *address)
{
    if (!socket_address)
        return false;
    if (address->version == 4 && socket_address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, socket_address, sizeof(in));
        return memcmp(&in.sin_addr, address->bytes, 4) == 0;
    }
    if (address->version == 6 && socket_address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, socket_address, sizeof(in6));
        return memcmp(&in6.sin6_addr, address->bytes, 16) == 0;
    }
    return false;
}

bool weft_system_interface_has(const char *name, const struct weft_ip *address)
{
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) != 0)
        return false;
    bool has = false;
    for (struct ifaddrs *at = list; at && !has; at = at->ifa_next)
        has = strcmp(at->ifa_name, name) == 0 && is_address(at->ifa_addr, address);
    freeifaddrs(list);
    return has;
}
