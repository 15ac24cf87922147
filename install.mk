# SPDX-License-Identifier: GPL-2.0
#
# What the Makefile builds is installed, removed and packed.

install-module-source:
	$(Q)rm -rf $(DESTDIR)$(DKMS_SRC)
	$(Q)for f in $(MODULE_FILES); do \
		install -D -m 644 $$f $(DESTDIR)$(DKMS_SRC)/$$f; done

install-liblodge: $(B)/liblodge.a ## the library and the ABI's headers, for programs that use /dev/lodge
	$(Q)install -D -m 644 -t $(DESTDIR)$(INCLUDEDIR) $(ABI_HEADERS)
	$(Q)install -D -m 644 -t $(DESTDIR)$(INCLUDEDIR)/lodge $(LIBRARY_HEADERS)
	$(Q)install -D -m 644 -t $(DESTDIR)$(LIBDIR) $<
	$(Q)install -d $(DESTDIR)$(LIBDIR)/pkgconfig
	$(Q)sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' \
		userctl/lib/liblodge.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/liblodge.pc
	$(Q)install -D -m 644 -t $(DESTDIR)$(MANDIR)/man3 userctl/lib/liblodge.3

# The controller's man pages, and where each of them is installed.
PAGES	:= lodge.1 lodge-image.5 lodge-control.7 lodge@.service.8
man	= $(DESTDIR)$(MANDIR)/man$(patsubst .%,%,$(suffix $(1)))/$(1)

install: lodge install-module-source ## controller, man pages, completion, udev rule, unit, group, module sources for DKMS
	$(Q)install -D -m 755 $(B)/lodge $(DESTDIR)$(SBINDIR)/lodge
	$(Q)$(foreach page,$(PAGES),install -D -m 644 userctl/$(page) $(call man,$(page)) &&) :
	$(Q)install -D -m 644 userctl/lodge.bash $(DESTDIR)$(BASHDIR)/lodge
	$(Q)install -D -m 644 -t $(DESTDIR)$(UDEVDIR) userctl/60-lodge.rules
	$(Q)install -D -m 644 -t $(DESTDIR)$(UNITDIR) userctl/lodge@.service
	$(Q)[ -n '$(DESTDIR)' ] || getent group lodge >/dev/null || \
		groupadd --system lodge
	@echo 'The module: dkms install lodge/$(VERSION)'

uninstall: ## what install and install-liblodge have put in place, but for the group (before: dkms remove)
	$(Q)rm -rf $(DESTDIR)$(DKMS_SRC) $(DESTDIR)$(INCLUDEDIR)/lodge
	$(Q)rm -f $(DESTDIR)$(SBINDIR)/lodge $(foreach page,$(PAGES),$(call man,$(page))) \
		$(DESTDIR)$(BASHDIR)/lodge $(DESTDIR)$(UDEVDIR)/60-lodge.rules \
		$(DESTDIR)$(UNITDIR)/lodge@.service \
		$(addprefix $(DESTDIR)$(INCLUDEDIR)/,$(notdir $(ABI_HEADERS))) \
		$(DESTDIR)$(LIBDIR)/liblodge.a $(DESTDIR)$(MANDIR)/man3/liblodge.3 \
		$(DESTDIR)$(LIBDIR)/pkgconfig/liblodge.pc

# In a copy of the tree, in which files of packages may come and go.
deb: ## Debian packages in build/deb/: lodge, lodge-dkms, liblodge-dev, and their source
	$(call say,DEB,$(B)/deb)
	$(Q)rm -rf $(B)/deb && mkdir -p $(B)/deb/lodge-$(VERSION)
	$(Q)tar -c --exclude=./$(B) --exclude=./.git . | tar -x -C $(B)/deb/lodge-$(VERSION)
	$(Q)cd $(B)/deb/lodge-$(VERSION) && \
		env -u MFLAGS -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc \
		>../build.log 2>&1 || { cat ../build.log; exit 1; }

dkms-build: $(addprefix dkms-build-,$(KERNELS)) ## dkms build for all kernels, in a tree of its own below build/

dkms-build-%:
	$(call say,DKMS,lodge.ko for $*)
	$(Q)rm -rf $(B)/dkms-$* && mkdir -p $(B)/dkms-$*/tree
	$(Q)$(MAKE) -s install-module-source DESTDIR=$(CURDIR)/$(B)/dkms-$*
	$(Q)d=$(CURDIR)/$(B)/dkms-$*; k=$(call kdir,$*); \
		env -u MFLAGS -u MAKELEVEL MAKEFLAGS='$(call \
		compiler_flags,$(call kdir,$*))' dkms build \
		-m lodge -v $(VERSION) -k $(call release,$*) \
		--kernelsourcedir $$k --dkmstree $$d/tree \
		--sourcetree $$d/usr/src >$$d.log 2>&1 || { \
		cat $$d.log $$d/tree/lodge/$(VERSION)/build/make.log; exit 1; }
